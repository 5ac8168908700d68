"""An exported model that stands alone, on disk or on a server, as something that translates."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf

from sflowgan_tf.ops.edges import laplacian_edges
from sflowgan_tf.translation.card import Card
from sflowgan_tf.translation.signatures import SIGNATURES, misfits
from sflowgan_tf.utils.errors import UserError

Arrays = dict[str, np.ndarray]
Predict = Callable[[str, Arrays], Arrays]  # name of a signature, its inputs -> its outputs

_GRAPH = "saved_model.pb"


class Artefact:
    """What translates through the signatures of an exported model.

    Attributes:
        card: what it says of itself.
    """

    def __init__(self, predict: Predict, *, encoded: bool):
        """Asks for the model card.

        Args:
            predict: calls a signature.
            encoded: whether pictures go to and fro as PNG, which is shorter on a wire.

        Raises:
            ValueError: the model card is damaged, or of another version.
        """
        self.predict, self.encoded = predict, encoded
        (answer,) = predict("card", {"ask": np.array([b""], object)})["card"]
        self.card = Card.from_json(answer.decode() if isinstance(answer, bytes) else answer)

    @property
    def redraws(self) -> bool:
        """Whether it was trained on the DNED's edges, and so has versions of a scene."""
        return self.card.redraws

    def translate(
        self, labels: np.ndarray, image: np.ndarray, weights: np.ndarray | None
    ) -> np.ndarray:
        """One scene, painted; see `translation.painting.Translates`."""
        if weights is None and self.redraws:
            edges = laplacian_edges(image[None], self.card.edges).numpy()
            return self.predict("edges", {"labels": labels[None], "edges": edges})["image"][0]
        given = {} if weights is None else {"ensemble_weights": weights[None]}
        if self.encoded:
            files = {"labels_bytes": png(labels), "image_bytes": png(image)}
            name = "encoded_weighted" if given else "encoded"
            return picture(self.predict(name, files | given)["image_bytes"][0])
        scene = {"labels": labels[None], "image": image[None]}
        return self.predict("weighted" if given else "serving_default", scene | given)["image"][0]


def png(image: np.ndarray) -> np.ndarray:
    """A batch of one PNG file, as signatures take it, (1,) bytes.

    Args:
        image: (height, width) uint8, or (height, width, 3) uint8 RGB.
    """
    in_order = image if image.ndim == 2 else image[..., ::-1]  # OpenCV's is BGR
    return np.array([cv2.imencode(".png", in_order)[1].tobytes()], object)


def picture(file: bytes) -> np.ndarray:
    """(height, width, 3) uint8 RGB of a PNG file."""
    decoded: Any = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    return decoded[..., ::-1]


def load(folder: Path) -> Artefact:
    """The SavedModel in a folder.

    Its signatures are read and compared before anything of it is loaded.

    Args:
        folder: of one version, or of the model: then its highest version.

    Raises:
        UserError: there is no SavedModel, it is damaged, or its signatures do not fit.
    """
    place = find(folder)
    try:
        metas = _graphs(place)
        (found,) = [meta.signature_def for meta in metas if "serve" in meta.meta_info_def.tags]
        check(f"--model {place}", found)
        loaded: Any = tf.saved_model.load(str(place))
        return Artefact(_caller(loaded), encoded=False)
    except UserError:
        raise
    except Exception as error:  # a damaged file can raise anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"--model {place}: damaged; can't be loaded ({reason:.200})") from error


def find(folder: Path) -> Path:
    """The folder that holds saved_model.pb: the one given, or the highest version in it.

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
        f"--model {folder}: no {_GRAPH} in it; expected the folder of a SavedModel, or of its "
        "versions, as export writes it"
    )


def check(where: str, found: Any) -> None:
    """That signatures are those of an artefact.

    Args:
        where: the flag and what it names, for the message.
        found: SignatureDef messages by name.

    Raises:
        UserError: says in what they differ.
    """
    wrong = misfits(found)
    if wrong:
        raise UserError(f"{where}: is no model that export wrote: {'; '.join(wrong)}")


def _graphs(place: Path) -> Any:
    from tensorflow.core.protobuf import saved_model_pb2

    message = saved_model_pb2.SavedModel()
    message.ParseFromString((place / _GRAPH).read_bytes())
    return message.meta_graphs


def _caller(loaded: Any) -> Predict:
    def predict(name: str, inputs: Arrays) -> Arrays:
        specs = SIGNATURES[name].inputs
        given = {key: tf.constant(value, specs[key].dtype) for key, value in inputs.items()}
        return {key: value.numpy() for key, value in loaded.signatures[name](**given).items()}

    return predict
