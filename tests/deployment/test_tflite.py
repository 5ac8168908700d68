import json
import zipfile

import keras
import numpy as np
import pytest

from sflowgan_tf import minicity
from sflowgan_tf.deployment import flatbuffer, gpu_rules, tflite
from sflowgan_tf.deployment.conversion import Scene
from sflowgan_tf.device import tflite_model as device_model
from sflowgan_tf.device.metadata import Metadata
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.ops.settings import EdgeSettings
from sflowgan_tf.translation.tflite import model as tflite_model
from sflowgan_tf.translation.translator import Translator
from sflowgan_tf.utils.errors import Failure, UserError
from tests.colors import appearance_of
from tests.translation.test_translator import make

SIZE, TABLE = (40, 24), TABLES["synthia"]
SCENES = [
    Scene(TABLE.encode(frame.labels), frame.image_cg) for frame in minicity.sequence(3, 0, 6, SIZE)
]


def exporter(translator=None):
    return tflite.Exporter(
        make() if translator is None else translator,
        classes=TABLE,
        size=SIZE,
        examples=SCENES[:4],
        compared=SCENES[4:],
        origin={"run": "city", "step": "7"},
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Reports of files of a fresh model, by kind."""
    folder, writer = tmp_path_factory.mktemp("lite"), exporter()
    kinds = [("fp32", True), ("fp16", False), ("int8", False), ("dynamic", False)]
    return {
        kind: writer.write(folder / f"{kind[0]}-{kind[1]}.tflite", kind[0], redraws=kind[1])
        for kind in kinds
    }


def test_fp32_and_fp16_paint_what_the_run_paints_and_may_run_on_a_gpu(files):
    exact, half = files["fp32", True], files["fp16", False]
    assert exact.levels <= 1 and exact.psnr > 60
    assert half.psnr >= 45
    for report in (exact, half):
        assert report.violations == [] == gpu_rules.violations(report.file.read_bytes())
        assert not {"ONE_HOT", "CAST", "SHAPE"} & report.operations.keys()
    assert half.file.stat().st_size < 0.75 * exact.file.stat().st_size


def test_int8_is_integer_throughout_and_dynamic_in_its_weights(files):
    int8, dynamic = files["int8", False], files["dynamic", False]
    assert int8.psnr >= 30 and dynamic.psnr >= 30
    assert int8.in_float == []
    values = {
        tensor.dtype for op in flatbuffer.read(int8.file.read_bytes()) for tensor in op.inputs
    }
    assert values == {"INT8", "INT32"}
    kernels = {
        op.inputs[1].dtype
        for op in flatbuffer.read(dynamic.file.read_bytes())
        if op.name == "CONV_2D"
    }
    assert "INT8" in kernels


def test_a_file_says_what_its_user_must_know(files):
    with zipfile.ZipFile(files["fp32", True].file) as archive:
        metadata = json.loads(archive.read("metadata.json"))
    assert metadata["size"] == [40, 24] and metadata["precision"] == "fp32"
    inputs = {tensor["name"]: tensor["shape"] for tensor in metadata["inputs"]}
    assert list(inputs.items()) == [
        ("labels", [1, 24, 40, 13]),
        ("edges", [1, 24, 40, 1]),
        ("weights", [1, 6]),
    ]
    assert metadata["classes"]["names"][:2] == ["sky", "building"]
    assert metadata["edges"] == {"threshold": 60.0, "blur": 0.0, "density": 0.0}
    assert metadata["origin"] == {"run": "city", "step": "7"}


def test_weights_change_the_picture_as_they_do_the_runs(files):
    model, translator = device_model.TFLiteModel(files["fp32", True].file), make()
    assert model.redraws and model.edges == "laplacian" and model.size == SIZE
    scene = SCENES[0]
    painted = []
    for weights in (np.float32([1, 0, 0, 0, 0, 0]), np.float32([0, 0, 0, 0, 2, 0])):
        painted.append(model.translate(scene.labels, scene.frame, weights))
        expected = translator.translate(scene.labels, scene.frame, weights)
        assert np.abs(painted[-1].astype(int) - expected).max() <= 1
    assert not np.array_equal(*painted)


@pytest.fixture(scope="module")
def colored():
    """A model that sees colours, and whose DNED sees the picture."""
    return make(appearance=appearance_of(TABLE.num_classes), dned_sees="image")


@pytest.mark.parametrize(
    ("precision", "redraws", "least"),
    [("fp32", True, 60), ("fp16", True, 45), ("int8", True, 30), ("int8", False, 30)],
)
def test_colors_and_the_picture_are_inputs(tmp_path, colored, precision, redraws, least):
    report = exporter(colored).write(tmp_path / "a.tflite", precision, redraws=redraws)
    assert report.psnr >= least and (precision == "int8" or report.violations == [])
    model = tflite_model(report.file)
    drawn = [("image", [1, 24, 40, 3]), ("weights", [1, 6])]
    assert [(one["name"], one["shape"]) for one in model.engine.metadata.inputs] == [
        ("labels", [1, 24, 40, 13]),
        *(drawn if redraws else [("edges", [1, 24, 40, 1])]),
        ("colors", [1, 24, 40, 3]),
    ]
    assert (model.edge_map, model.redraws) == ("laplacian", redraws)
    scene, pictures = SCENES[0], []
    for recoloring in (None, model.palette.cluster(3)):
        weights = np.float32([0, 0, 0, 0, 2, 0]) if redraws else None
        pictures.append(
            model.translate(scene.labels, scene.frame, weights, appearance=recoloring).astype(int)
        )
        expected = colored.translate(scene.labels, scene.frame, weights, recoloring)
        difference = np.abs(pictures[-1] - expected)
        assert difference.max() <= {"fp32": 1, "fp16": 6}.get(precision, 255)
        assert difference.mean() < 8
    assert np.abs(pictures[0] - pictures[1]).mean() > 0.5


def test_void_and_a_generator_alone(files):
    model, translator = device_model.TFLiteModel(files["fp16", False].file), make()
    labels = np.full_like(SCENES[0].labels, 255)
    expected = translator.translate(labels, SCENES[0].frame, None).astype(int)
    assert np.abs(model.translate(labels, SCENES[0].frame) - expected).max() <= 3
    with pytest.raises(UserError, match="holds no DNED and takes no weights; name another"):
        model.translate(labels, SCENES[0].frame, np.ones(6, np.float32))


def test_a_model_of_labels_alone_takes_no_edges(tmp_path):
    writer = exporter(make(edge_map="none"))
    report = writer.write(tmp_path / "a.tflite", "fp32", redraws=False)
    model = device_model.TFLiteModel(report.file)
    assert model.metadata.input_names == ["labels"]
    assert model.edges == "none" and report.levels <= 1


class Inverted:
    """A run whose own pictures are not those of the networks that are exported."""

    def __init__(self, translator):
        self.translator = translator

    def __getattr__(self, name):
        return getattr(self.translator, name)

    def translate(self, *scene):
        return 255 - self.translator.translate(*scene)


@pytest.mark.parametrize(
    ("precision", "said"),
    [
        ("fp32", r"a\.tflite: differs by up to \d+ levels from the run's pictures, expected 1 at"),
        ("fp16", r"a\.tflite: \d+\.\d dB to the run's pictures, expected 45 or more"),
    ],
)
def test_what_misses_is_not_left(tmp_path, precision, said):
    with pytest.raises(Failure, match=said):
        exporter(Inverted(make())).write(tmp_path / "a.tflite", precision, redraws=False)
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_comparison_is_none_of_the_disk(tmp_path):
    class Failing(Inverted):
        def translate(self, *scene):
            raise UserError("scene.png: No such file or directory")

    with pytest.raises(UserError, match="^scene.png: No such file or directory$"):
        exporter(Failing(make())).write(tmp_path / "a.tflite", "fp32", redraws=False)
    assert list(tmp_path.iterdir()) == []


def test_int8_keeps_what_is_sensitive_in_float_if_it_must(tmp_path, monkeypatch, files):
    writer, plain = exporter(), files["int8", False].psnr
    monkeypatch.setitem(tflite.LEAST_PSNR, "int8", plain + 0.1)
    report = writer.write(tmp_path / "a.tflite", "int8", redraws=False)
    assert report.psnr > plain and report.in_float == tflite.SENSITIVE
    assert report.operations["QUANTIZE"] > 0
    assert Metadata.read(report.file).in_float == tflite.SENSITIVE
    monkeypatch.setitem(tflite.LEAST_PSNR, "int8", 200.0)
    with pytest.raises(Failure, match="expected 200"):
        writer.write(tmp_path / "b.tflite", "int8", redraws=False)
    assert [file.name for file in tmp_path.iterdir()] == ["a.tflite"]


def test_a_network_that_gpus_can_not_run_is_refused(tmp_path):
    layers = [keras.layers.GroupNormalization(-1), keras.layers.Conv2D(3, 1, activation="tanh")]
    translator = Translator(
        generator=keras.Sequential(layers),
        dned=make().dned,
        num_classes=TABLE.num_classes,
        edge_settings=EdgeSettings(),
    )
    with pytest.raises(Failure, match="a.tflite: not for GPUs: .* has 5 axes; 4 at most"):
        exporter(translator).write(tmp_path / "a.tflite", "fp32", redraws=False)
    assert list(tmp_path.iterdir()) == []
