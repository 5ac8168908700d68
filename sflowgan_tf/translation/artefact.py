"""An exported model that stands alone, called through its signatures: on disk or on a server."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from sflowgan_tf.ops.edges import laplacian_edges
from sflowgan_tf.ops.ensemble import ensemble_weights
from sflowgan_tf.ops.palette import Recoloring
from sflowgan_tf.translation.card import Card
from sflowgan_tf.translation.model import Model
from sflowgan_tf.translation.signatures import COLORED_SIGNATURES, misfits
from sflowgan_tf.utils.errors import Failure, UserError

Arrays = dict[str, np.ndarray]
Predict = Callable[[str, Arrays], Arrays]  # name of a signature, its inputs -> its outputs

_GRAPH = "saved_model.pb"


class Artefact:
    """The engine of an exported model.

    Attributes:
        place: folder or URL, for messages.
        predict: calls a signature.
        encoded: whether pictures go there and back as PNG, which is shorter in a request.
        card: the model card.
    """

    def __init__(self, place: Path | str, predict: Predict, *, encoded: bool):
        """Asks for the model card.

        Args:
            place: see the class.
            predict: see the class.
            encoded: see the class.

        Raises:
            UserError: the model card is damaged, or of another version.
        """
        self.place, self.predict, self.encoded = place, predict, encoded
        (answer,) = predict("card", {"ask": np.array([b""], object)})["card"]
        try:
            self.card = Card.from_json(answer.decode(errors="replace"))
        except ValueError as error:
            raise UserError(f"{place}: {error}; export the model anew") from None

    @property
    def redraws(self) -> bool:
        """Whether it was trained on the DNED's edges, so that a scene has versions."""
        return self.card.redraws

    def translate(
        self,
        labels: np.ndarray,
        frame: np.ndarray,
        weights: np.ndarray | None,
        recoloring: Recoloring | None = None,
    ) -> np.ndarray:
        """One scene, painted; see `translation.model.Engine`.

        Raises:
            Failure: the answer is no picture of the frame's size.
        """
        image = self._painted(labels, frame, weights, recoloring)
        if image.shape != frame.shape:
            raise Failure(
                f"{self.place}: answered with an image of shape {image.shape}; expected "
                f"{frame.shape}, as the frame"
            )
        return image

    def _painted(
        self,
        labels: np.ndarray,
        frame: np.ndarray,
        weights: np.ndarray | None,
        recoloring: Recoloring | None,
    ) -> np.ndarray:
        if weights is None and self.redraws:
            edges = laplacian_edges(frame[None], self.card.edges).numpy()
            scene = {"labels": labels[None], "edges": edges}
            return self.predict("edges", scene | self._colors(labels, frame, recoloring))["image"][
                0
            ]
        name, choice = _choice(weights, recoloring)
        if not self.encoded:
            scene = {"labels": labels[None], "image": frame[None]}
            return self.predict(name, scene | choice)["image"][0]
        files = {"labels_bytes": png(labels), "image_bytes": png(frame)}
        name = "encoded" if name == "serving_default" else f"encoded_{name}"
        try:
            return picture(self.predict(name, files | choice)["image_bytes"][0])
        except ValueError as error:
            raise Failure(f"{self.place}: {error}, the answer of signature {name}") from None

    def _colors(
        self, labels: np.ndarray, frame: np.ndarray, recoloring: Recoloring | None
    ) -> Arrays:
        """The input `colors` of signature `edges`; none for a model that sees no colours."""
        if self.card.appearance is None:
            return {}
        return {"colors": self.card.appearance.colors(labels[None], frame[None], recoloring)}

    def model(self, place: dict[str, str], files: list[Path], close: Callable[[], None]) -> Model:
        """The model that its card describes.

        Args:
            place: folder or URL, for the metadata of pictures.
            files: on this machine.
            close: see `Model`.
        """
        card = self.card
        origin = {
            "run": card.run,
            "step": str(card.step),
            "exported": card.provenance.get("date", ""),
        }
        return Model(
            engine=self,
            classes=card.classes,
            size=card.size,
            flow=card.flow,
            edge_map=card.edge_map,
            palette=card.appearance and card.appearance.palette,
            origin=origin | place,
            files=files,
            close=close,
        )


def _choice(weights: np.ndarray | None, recoloring: Recoloring | None) -> tuple[str, Arrays]:
    """The signature that takes weights and recolouring with a scene, and these as inputs."""
    shares = {} if weights is None else {"ensemble_weights": weights[None]}
    if recoloring is None:
        return "weighted" if shares else "serving_default", shares
    colors = {"color_scale": recoloring.scale[None], "color_shift": recoloring.shift[None]}
    return "appearance", {"ensemble_weights": ensemble_weights(1, 0)} | shares | colors


def png(image: np.ndarray) -> np.ndarray:
    """A batch of one PNG file, as signatures take it, (1,) bytes.

    Args:
        image: (height, width) uint8, or (height, width, 3) uint8 RGB.
    """
    channels = image if image.ndim == 2 else image[..., ::-1]  # OpenCV's are BGR
    return np.array([cv2.imencode(".png", channels)[1].tobytes()], object)


def picture(file: bytes) -> np.ndarray:
    """(height, width, 3) uint8 RGB of a PNG file.

    Raises:
        ValueError: it can't be decoded.
    """
    try:
        image: Any = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # it is empty, or claims a size that OpenCV refuses
        image = None
    if image is None:
        raise ValueError("no PNG file")
    return image[..., ::-1]


def model(folder: Path) -> Model:
    """The SavedModel in a folder.

    Args:
        folder: of one version, or of the model: then its highest version.

    Raises:
        UserError: see `load`.
    """
    artefact = load(folder)
    place = find(folder)
    files = [file for file in sorted(place.rglob("*")) if file.is_file()]
    return artefact.model({"model": str(place)}, files, close=lambda: None)


def load(folder: Path) -> Artefact:
    """The engine of the SavedModel in a folder.

    Its signatures are read and compared before anything of it is loaded.

    Args:
        folder: see `model`.

    Raises:
        UserError: there is no SavedModel, it is damaged, or its signatures do not fit.
    """
    place = find(folder)
    check(place, _signatures(place / _GRAPH))
    try:
        loaded: Any = tf.saved_model.load(str(place))
    except Exception as error:  # damage can raise anything
        raise UserError(
            f"{place}: can't be loaded, its variables or its graph are damaged or missing; copy it "
            "anew, or export it anew"
        ) from error
    return Artefact(place, _caller(loaded), encoded=False)


def find(folder: Path) -> Path:
    """The folder that holds saved_model.pb: `folder` itself, or the highest version in it.

    Raises:
        UserError: neither holds one.
    """
    versions = sorted(
        (int(path.name), path) for path in folder.glob("[0-9]*") if path.name.isdecimal()
    )
    for place in [folder, *(path for _, path in reversed(versions))]:
        if (place / _GRAPH).is_file():
            return place
    raise UserError(
        f"{folder}: no {_GRAPH} in it; expected the folder of a SavedModel, or of its versions, as "
        "export writes it"
    )


def check(place: Path | str, definitions: Any) -> None:
    """Checks that signatures are those of an exported model.

    Args:
        place: folder or URL, for the message.
        definitions: SignatureDef messages by name.

    Raises:
        UserError: says in what they differ.
    """
    wrong = misfits(definitions)
    if wrong:
        raise UserError(f"{place}: is no model that export wrote: {'; '.join(wrong)}")


def _signatures(graph: Path) -> Any:
    """SignatureDef messages by name, read without loading the model."""
    message = saved_model_pb2.SavedModel()
    try:
        message.ParseFromString(graph.read_bytes())
        (served,) = [meta for meta in message.meta_graphs if "serve" in meta.meta_info_def.tags]
    except (DecodeError, ValueError):
        raise UserError(f"{graph}: damaged; copy it anew, or export it anew") from None
    return served.signature_def


def _caller(loaded: Any) -> Predict:
    def predict(name: str, inputs: Arrays) -> Arrays:
        specs = COLORED_SIGNATURES[name].inputs
        tensors = {key: tf.constant(value, specs[key].dtype) for key, value in inputs.items()}
        return {key: value.numpy() for key, value in loaded.signatures[name](**tensors).items()}

    return predict
