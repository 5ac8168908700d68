import os
import shutil
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import pytest

from tests import places


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """What 0.1.0 wrote with tiny networks (see test_formats.py), not to be written to.

    records, runs/painter, runs/judge, saved_models/painter, scene/labels, scene/frames, painted.
    """
    folder = tmp_path_factory.mktemp("archive")
    shutil.unpack_archive(places.ROOT / "tests/formats/made-by-0.1.0.zip", folder)
    return folder


@pytest.fixture(scope="session")
def exportable():
    """A fresh model with a scene to compare on, as `export` would find it in a run."""
    import tensorflow as tf

    from sflowgan_tf.data.manifest import Manifest, Split
    from sflowgan_tf.deployment.exported import Exported
    from sflowgan_tf.ops.classes import TABLES
    from sflowgan_tf.ops.settings import EdgeSettings, Farneback
    from sflowgan_tf.training.runs import Run
    from tests.front import scene
    from tests.translation.test_translator import make

    split = Split(records=1, pairs=0, shards=[], sequences=["a"])
    labels, image = scene()
    return Exported(
        run=Run.named("city"),
        translator=make(),
        step=7,
        manifest=Manifest(
            dataset="minicity",
            size=(32, 16),
            classes=TABLES["synthia"],
            edges=EdgeSettings(),
            flow=Farneback(),
            seed=0,
            has_cg=True,
            has_instances=False,
            has_motion=False,
            splits={"train": split, "validation": split},
            skipped=[],
        ),
        frames=[{"labels": tf.constant(labels), "image_cg": tf.constant(image)}],
        start_run=None,
        records=Path("datasets/minicity"),
    )


@pytest.fixture(scope="session")
def exported(exportable, tmp_path_factory):
    """The folder of the model's first version."""
    from sflowgan_tf.deployment import saved_model

    card = exportable.card("city", "python -m sflowgan_tf.export --run city")
    folder, _ = saved_model.write(exportable, tmp_path_factory.mktemp("saved_models"), card)
    return folder


@pytest.fixture(scope="session")
def served(exported):
    """Its URLs on a server, and what counts the requests."""
    from tests.front import serving

    with serving(exported) as urls_and_counter:
        yield urls_and_counter
