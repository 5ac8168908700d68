"""The models that stand alone, found by what the user names: an artefact on disk or on a server.

A new kind of model is one more function that gives a `Model`, and one line in `of_path`. A run is
none of them: `training.assembly.model_of_run` gives its `Model`.
"""

from dataclasses import dataclass
from pathlib import Path

from sflowgan_tf.device import model as device_model
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.translation import artefact
from sflowgan_tf.translation.painting import Translates
from sflowgan_tf.translation.server import connect
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.quiet import held_back


@dataclass(frozen=True, kw_only=True)
class Model:
    """A trained model, ready to paint.

    Attributes:
        translator: what paints.
        classes: what its class indices mean.
        size: (width, height) that it was trained for, and paints unless told otherwise.
        origin: what tells it from others, for the metadata of what it paints.
        files: its files, by which an interrupted film knows whether it is still the same.
    """

    translator: Translates
    classes: ClassTable
    size: tuple[int, int]
    origin: dict[str, str]
    files: list[Path]


def of_path(path: Path) -> Model:
    """An artefact that `export` wrote.

    Args:
        path: what `--model` names.

    Raises:
        UserError: there is none, or it does not fit.
    """
    if not path.exists():
        raise UserError(f"--model {path}: no such folder or file")
    if path.suffix == ".tflite":
        return _tflite(path)
    place = artefact.find(path)
    loaded = artefact.load(place)
    files = [file for file in sorted(place.rglob("*")) if file.is_file()]
    return _artefact(loaded, {"model": str(place)}, files)


def of_server(url: str) -> Model:
    """A model on a server.

    Args:
        url: what `--server` names.

    Raises:
        UserError: nobody answers there, or what is served does not fit.
    """
    wire = connect(url)
    artefact.check(f"--server {url}", wire.signatures())
    try:
        served = artefact.Artefact(wire.predict, encoded=True)
    except ValueError as error:
        raise UserError(f"--server {url}: {error}") from None
    return _artefact(served, {"server": url}, [])


def _artefact(loaded: artefact.Artefact, where: dict[str, str], files: list[Path]) -> Model:
    card = loaded.card
    told = {"run": card.run, "step": str(card.step), "exported": card.made["date"]}
    return Model(
        translator=loaded,
        classes=card.classes,
        size=card.size,
        origin=told | where | edges_of(card.edge_map),
        files=files,
    )


def _tflite(file: Path) -> Model:
    with held_back():  # LiteRT says which delegate it takes
        loaded = device_model.Model(file)
    return Model(
        translator=loaded,
        classes=loaded.metadata.classes,
        size=loaded.size,
        origin=loaded.metadata.origin | {"model": str(file)} | edges_of(loaded.edges),
        files=[file],
    )


def edges_of(edge_map: str) -> dict[str, str]:
    """What `translation.painting.Painter` can't tell of the edges."""
    return {} if edge_map == "laplacian" else {"edges": edge_map}
