import ctypes
import gc
import os
import shutil
import sys
from pathlib import Path

# TensorFlow and the processes that tests start read them when they start.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
# The networks are too small for threads, which only wait for each other.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
# Nor do they run for as long as XLA takes to make them fast.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
# oneDNN compiles each new shape and keeps that, with the kernels' weights, for the process's life.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
# The pool of memory that commands use (see utils/quiet.py) keeps the most that was ever needed.
os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "false")

import hypothesis
import pytest

from tests import places
from tests.manifests import manifest_of

# No example has a deadline, however busy the machine is.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

# What trains, converts, compiles or starts processes, by measured time, the slowest first: marked
# as slow, and begun first, so that the end is made of short tests and all workers end at once.
SLOW = (
    "training/test_fit.py",
    "end_to_end/",
    "test_evaluate.py",
    "data/preparing/",
    "networks/test_networks.py",
    "training/gan/",
    "evaluation/segmenting/",
    "benchmarks/test_tables_page.py",
    "test_export.py",
    "training/test_assembly.py",
    "test_appearance.py",
    "deployment/test_tflite.py",
    "deployment/test_saved_model.py",
    "ops/test_flow.py",
    "test_benchmark.py",
    "benchmarking/test_workloads.py",
    "test_loading.py",
    "test_play.py",
    "translation/test_artefact.py",
    "translation/test_server.py",
    "test_export_tflite.py",
    "deployment/test_gpu_rules.py",
    "networks/test_pspnet.py",
    "evaluation/metrics/test_features.py::test_imagenet_is_keras_inception_averaged",
    "test_translate.py::test_the_flow_of_a_films_history_is_the_models",
    "test_translate.py::test_an_artefact_is_painted_with_without_the_code_that_trained_it",
    "translation/test_films.py::test_killed_it_leaves_no_film_and_goes_on_with_the_same_bytes",
    "deployment/test_endpoints.py",
    "deployment/test_warmup.py",
    "networks/test_vgg.py::test_equals_keras_applications",
    "networks/test_discriminator.py::test_converges_to_one",
    "networks/test_small_pspnet.py::test_what_is_thinner_than_a_feature_is_drawn",
    "test_translate.py::test_run_artefact_rest_and_grpc_give_the_same_pictures",
    "test_lite.py",
    "test_formats.py",
    "data/test_pipeline.py::test_augmented_pairs_still_warp_onto_each_other",
    "data/test_pipeline.py::test_a_training_taken_up_again_sees_what_was_left",
    "evaluation/test_report.py::test_the_sheets_of_a_long_training_are_not_held_in_memory",
    "minicity/test_writer.py::test_a_full_disk_is_told_with_the_pictures_name",
    "training/test_checkpoints.py::test_a_full_disk_names_the_step_and_keeps_the_last_good_check",
)
HERE = Path(__file__).parent


def pytest_configure():
    missing = [name for name in SLOW if not (HERE / name.partition("::")[0]).exists()]
    if missing:
        raise pytest.UsageError(f"tests/conftest.py: SLOW names what is not there: {missing}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    rank = {}
    for item in items:
        name = f"{item.path.relative_to(HERE)}::{item.originalname}"
        place = next((i for i, slow in enumerate(SLOW) if name.startswith(slow)), len(SLOW))
        if place < len(SLOW):
            item.add_marker("slow")
        rank[item.path] = min(place, rank.get(item.path, place))
    items.sort(key=lambda item: rank[item.path])


@pytest.fixture(autouse=True)
def free_order_of_sums():
    """What another test of this process switched on for good; XLA lacks ops that obey it."""
    if "tensorflow" in sys.modules:
        from tensorflow.python.framework.config import disable_op_determinism

        disable_op_determinism()


@pytest.fixture(autouse=True)
def nothing_released(monkeypatch, tmp_path):
    """Tests in this process find no model of the package but those that they release."""
    monkeypatch.setattr("sflowgan_tf.training.runs.RELEASED", tmp_path / "nothing released")


@pytest.fixture(scope="module", autouse=True)
def memory_given_back():
    """After each module: models sit in cycles, and malloc keeps what they were made of."""
    yield
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """What 0.1.0 wrote with tiny networks (see test_formats.py), not to be written to.

    records, runs/painter, runs/judge, saved_models/painter, scene/labels, scene/frames, painted.
    """
    folder = tmp_path_factory.mktemp("archive")
    shutil.unpack_archive(places.ROOT / "tests/formats/made-by-0.1.0.zip", folder)
    return folder


def _exportable(**settings):
    """A fresh model with a scene to compare on, as `export` would find it in a run."""
    import tensorflow as tf

    from sflowgan_tf.data.manifest import Split
    from sflowgan_tf.deployment.exported import Exported
    from sflowgan_tf.training.runs import Run
    from tests.front import scene
    from tests.translation.test_translator import make

    split = Split(records=1, pairs=0, shards=[], sequences=["a"])
    labels, image = scene()
    return Exported(
        run=Run.named("city"),
        translator=make(**settings),
        step=7,
        manifest=manifest_of(splits={"train": split, "validation": split}),
        frames=[{"labels": tf.constant(labels), "image_cg": tf.constant(image)}],
        start_run=None,
        records=Path("datasets/minicity"),
    )


def _exported(exportable, folder):
    from sflowgan_tf.deployment import saved_model

    card = exportable.card("city", "python -m sflowgan_tf.export --run city")
    return saved_model.write(exportable, folder, card)[0]


@pytest.fixture(scope="session")
def exportable():
    """A fresh model of labels and edges."""
    return _exportable()


@pytest.fixture(scope="session")
def exported(exportable, tmp_path_factory):
    """The folder of the model's first version."""
    return _exported(exportable, tmp_path_factory.mktemp("saved_models"))


@pytest.fixture(scope="session")
def served(exported):
    """Its URLs on a server, and what counts the requests."""
    from tests.front import serving

    with serving(exported) as urls_and_counter:
        yield urls_and_counter


@pytest.fixture(scope="session")
def colored_exportable():
    """A fresh model that sees colours, and whose DNED sees the picture."""
    from tests.colors import appearance_of

    return _exportable(appearance=appearance_of(13), dned_sees="image")


@pytest.fixture(scope="session")
def colored_exported(colored_exportable, tmp_path_factory):
    """The folder of that model's first version."""
    return _exported(colored_exportable, tmp_path_factory.mktemp("saved_models"))
