"""The ways to a trained model: a run, what `export` wrote, a server.

Each function imports what it needs: TensorFlow quietly and not with this module, and nothing that
trains for a model that stands alone.
"""

import argparse
import os
from pathlib import Path

from sflowgan_tf.translation.model import Model
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.quiet import import_tensorflow


def load(what: str | os.PathLike[str]) -> Model:
    """A trained model, wherever it is.

    Args:
        what: one of
            - the name of a run in runs/, or the path of a run's folder,
            - the name of a model that comes with the package, where no run has it: minicity,
            - the folder of a SavedModel that `export` wrote, of one version or of all: then the
              highest one,
            - a TFLite file that `export --tflite` wrote,
            - the address of a model on TensorFlow Serving, http://HOST:8501/v1/models/NAME or
              grpc://HOST:8500/NAME.

    Raises:
        UserError: there is nothing of that name, or it is damaged; the message says what to do.
        Failure: a server's answers are none of TensorFlow Serving.
    """
    text = os.fspath(what)
    if "://" in text:
        return on_server(text)
    path = Path(text)
    if path.suffix == ".tflite":
        return exported(path)
    name = str(path.resolve()) if text and path.name in ("", "..") else text  # ".", "../"
    if _is_run(name):
        return of_run(name)
    if text and (path.exists() or _is_released(text)):
        return exported(path)
    raise UserError(
        f"{text or repr(text)}: no such run or folder; expected a run in runs/ or its folder, the "
        "folder of a SavedModel, a TFLite file, the address of a server (http://, grpc://), or the "
        "name of a model that comes with the package (minicity)"
    )


def chosen(parsed: argparse.Namespace) -> Model:
    """The model that the flags of `cli.add_model_flags` name: a run, an artefact or a server's.

    Raises:
        UserError: as `of_run`, `exported` and `on_server`.
        Failure: as `on_server`.
    """
    if parsed.run is not None:
        return of_run(parsed.run)
    if parsed.model is not None:
        return exported(parsed.model)
    return on_server(parsed.server)


def _is_run(name: str) -> bool:
    from sflowgan_tf.training.runs import Run

    try:
        return Run.named(name).config.is_file()
    except UserError:  # no name of a run, but perhaps that of a folder or file
        return False


def _is_released(name: str) -> bool:
    from sflowgan_tf.training.runs import Run

    return Run.released(name) is not None


def of_run(name: str) -> Model:
    """The latest checkpoint of a run.

    Args:
        name: a folder in runs/, or its path.

    Raises:
        UserError: there is no such run or no checkpoint yet, or it needs instance maps.
    """
    import_tensorflow()
    from sflowgan_tf.training import assembly
    from sflowgan_tf.training.runs import Run

    return assembly.model_of_run(name, Run.existing(name))


def exported(path: Path) -> Model:
    """What `export` wrote: a folder, or a TFLite file, which needs no TensorFlow.

    Args:
        path: of it; or, where there is nothing, the name of a model that comes with the package,
            which a run of that name does not hide.

    Raises:
        UserError: there is none, it is damaged, or it does not come from `export`.
    """
    if not path.exists():
        return _of_package(path)
    if (path / "config.yaml").is_file():  # of a released model, or of a run
        return of_run(f"{path}{os.sep}")
    if path.is_file():
        from sflowgan_tf.translation import tflite

        return tflite.model(path)
    import_tensorflow()
    from sflowgan_tf.translation import artefact

    return artefact.model(path)


def _of_package(path: Path) -> Model:
    from sflowgan_tf.training.runs import Run

    run = Run.released(str(path))
    if run is None:
        raise UserError(f"{path}: no such folder or file, and no model of the package (minicity)")
    import_tensorflow()
    from sflowgan_tf.training import assembly

    return assembly.model_of_run(str(path), run)


def on_server(url: str) -> Model:
    """A model on TensorFlow Serving.

    Raises:
        UserError: it is no such URL, nobody answers there, or the model is none of `export`.
        Failure: the answers are none of TensorFlow Serving.
    """
    import_tensorflow()
    from sflowgan_tf.translation import server

    return server.model(url)
