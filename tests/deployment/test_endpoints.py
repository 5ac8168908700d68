"""The signatures in this process, against the translator that they are made of."""

import cv2
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.deployment.endpoints import endpoints
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.ops.ensemble import ensemble_weights
from sflowgan_tf.translation.signatures import COLORED_SIGNATURES
from tests.front import scene
from tests.translation.test_translator import make

TABLE = TABLES["synthia"]
DRAWN = ensemble_weights(2, seed=0)[1:]


def caller(translator):
    _, functions = endpoints(translator, TABLE, "{}")

    def call(name, **given):
        specs = COLORED_SIGNATURES[name].inputs
        return functions[name](
            **{key: tf.constant(x, specs[key].dtype) for key, x in given.items()}
        )

    return call


@pytest.fixture(scope="module")
def call(exportable):
    return caller(exportable.translator)


@pytest.fixture(scope="module")
def call_colored(colored_exportable):
    return caller(colored_exportable.translator)


def files(scenes):
    return {
        "labels_bytes": [cv2.imencode(".png", labels)[1].tobytes() for labels, _ in scenes],
        "image_bytes": [cv2.imencode(".png", image[..., ::-1])[1].tobytes() for _, image in scenes],
    }


@pytest.mark.parametrize("size", [(32, 16), (17, 9), (2, 2), (3, 40)])
def test_a_batch_of_any_size_is_painted_as_one_by_one(call, exportable, size):
    scenes = [scene(*size, seed=seed) for seed in (1, 2)]
    labels, image = (np.stack(one) for one in zip(*scenes, strict=True))
    equal, drawn = ensemble_weights(2, seed=0)
    weights = np.stack([drawn, equal])
    painted = call("serving_default", labels=labels, image=image)["image"].numpy()
    versions = call("weighted", labels=labels, image=image, ensemble_weights=weights)["image"]
    assert painted.shape == (2, size[1], size[0], 3) and painted.dtype == np.uint8
    for index, (one, picture) in enumerate(scenes):
        expected = exportable.translator.translate(one, picture, equal)
        assert np.abs(painted[index] - expected.astype(int)).max() <= 1
        expected = exportable.translator.translate(one, picture, weights[index])
        assert np.abs(versions[index].numpy() - expected.astype(int)).max() <= 1
    decoded = call("encoded", **files(scenes))["image_bytes"].numpy()
    shown = [cv2.imdecode(np.frombuffer(one, np.uint8), 1)[..., ::-1] for one in decoded]
    np.testing.assert_array_equal(shown, painted)
    decoded = call("encoded_weighted", **files(scenes), ensemble_weights=weights)["image_bytes"]
    shown = [cv2.imdecode(np.frombuffer(x, np.uint8), 1)[..., ::-1] for x in decoded.numpy()]
    np.testing.assert_array_equal(shown, versions)


def test_label_maps_in_the_classes_colours_are_painted_as_their_indices_are(call):
    labels, image = scene()
    expected = call("encoded", **files([(labels, image)]))["image_bytes"]
    colors = TABLE.colorize(labels)[..., ::-1]
    assert (labels == 255).any() and len(np.unique(labels)) > 3
    for pixels in (colors, np.dstack([colors, np.full_like(labels, 255)])):
        painted = call("encoded", **files([(pixels, image)]))["image_bytes"]
        assert painted.numpy().tolist() == expected.numpy().tolist()


def test_ready_edges_are_painted_as_they_are(call, exportable):
    labels, _ = scene()
    edges = np.random.default_rng(0).uniform(0, 1, (1, 16, 32, 1)).astype(np.float32)
    painted = call("edges", labels=labels[None], edges=edges)["image"]
    expected = exportable.translator.paint(tf.constant(labels[None]), tf.constant(edges))
    np.testing.assert_array_equal(painted, expected)


def test_the_weights_matter(call):
    labels, image = (array[None] for array in scene())
    plain = call("serving_default", labels=labels, image=image)["image"]
    other = call("weighted", labels=labels, image=image, ensemble_weights=DRAWN)["image"]
    assert not np.array_equal(plain, other)


def test_the_card_answers_each_question(call):
    assert call("card", ask=[b"", b"x"])["card"].numpy().tolist() == [b"{}", b"{}"]


def test_a_model_that_knows_labels_only_has_the_same_signatures_and_no_dned():
    translator = make(edge_map="none")
    owner, functions = endpoints(translator, TABLE, "{}")
    assert len(owner.state) == len(translator.generator.variables)
    labels, image = (tf.constant(array[None]) for array in scene())
    painted = functions["serving_default"](labels=labels, image=image)["image"]
    dark = functions["weighted"](
        labels=labels, image=tf.zeros_like(image), ensemble_weights=tf.constant(DRAWN)
    )["image"]
    np.testing.assert_array_equal(painted, dark)
    edges = tf.ones([1, 16, 32, 1])
    np.testing.assert_array_equal(functions["edges"](labels=labels, edges=edges)["image"], painted)


def recoloring_inputs(*recolorings):
    return {
        "color_scale": np.stack([one.scale for one in recolorings]),
        "color_shift": np.stack([one.shift for one in recolorings]),
    }


@pytest.mark.parametrize("size", [(32, 16), (17, 9), (2, 2)])
def test_colors_are_those_given_unless_something_is_said(call_colored, colored_exportable, size):
    translator = colored_exportable.translator
    palette = translator.appearance.palette
    scenes = [scene(*size, seed=seed) for seed in (1, 2)]
    labels, image = (np.stack(one) for one in zip(*scenes, strict=True))
    weights = ensemble_weights(2, seed=0)
    choices = [palette.cluster(2), palette.given()]
    given = {"labels": labels, "image": image, "ensemble_weights": weights}
    colors = recoloring_inputs(*choices)
    painted = call_colored("weighted", **given)["image"].numpy()
    changed = call_colored("appearance", **given, **colors)["image"].numpy()
    for index, one in enumerate(scenes):
        expected = translator.translate(*one, weights[index])
        assert np.abs(painted[index] - expected.astype(int)).max() <= 1
        expected = translator.translate(*one, weights[index], choices[index])
        assert np.abs(changed[index] - expected.astype(int)).max() <= 1
    assert not np.array_equal(painted[0], changed[0])
    given = files(scenes) | {"ensemble_weights": weights}
    encoded = call_colored("encoded_appearance", **given, **colors)["image_bytes"].numpy()
    shown = [cv2.imdecode(np.frombuffer(one, np.uint8), 1)[..., ::-1] for one in encoded]
    np.testing.assert_array_equal(shown, changed)
    equal = call_colored("serving_default", labels=labels, image=image)["image"][0]
    assert np.abs(equal.numpy().astype(int) - painted[0]).max() <= 1


def test_ready_edges_are_painted_in_ready_colors(call_colored, colored_exportable):
    labels, _ = scene()
    draw = np.random.default_rng(0)
    edges = draw.uniform(0, 1, (1, 16, 32, 1)).astype(np.float32)
    colors = draw.uniform(0, 255, (1, 16, 32, 3)).astype(np.float32)
    painted = call_colored("edges", labels=labels[None], edges=edges, colors=colors)["image"]
    expected = colored_exportable.translator.paint(labels[None], edges, colors)
    np.testing.assert_array_equal(painted, expected)


LABELS, IMAGE = (array[None] for array in scene())
WRONG = np.where(LABELS == 255, 255, 77).astype(np.uint8)
FILES = files([(LABELS[0], IMAGE[0])])
EDGES = np.zeros((1, 16, 32, 1), np.float32)


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("serving_default", {"labels": WRONG, "image": IMAGE}, "class id 77 is outside"),
        ("serving_default", {"labels": LABELS, "image": IMAGE[:, 1:]}, "differ in number, height"),
        (
            "weighted",
            {"labels": WRONG, "image": IMAGE, "ensemble_weights": DRAWN},
            "class id 77 is outside",
        ),
        (
            "weighted",
            {"labels": LABELS, "image": IMAGE, "ensemble_weights": -DRAWN},
            "ensemble_weights: expected numbers from 0 on",
        ),
        ("encoded", FILES | {"labels_bytes": [b"x"]}, "labels_bytes: expected PNG"),
        ("encoded", FILES | {"image_bytes": [b"x"]}, "image_bytes: expected PNG or JPEG"),
        ("encoded", FILES | {"image_bytes": 2 * FILES["image_bytes"]}, "differ in number"),
        ("encoded", files([(WRONG[0], IMAGE[0])]), "class id 77 is outside"),
        ("encoded", files([(LABELS[0], IMAGE[0, 1:])]), "differ in number, height"),
        ("encoded", files([(IMAGE[0], IMAGE[0])]), "labels_bytes: colour .* is none of"),
        ("encoded_weighted", FILES | {"ensemble_weights": 0 * DRAWN}, "from 0 on"),
        ("edges", {"labels": WRONG, "edges": EDGES}, "class id 77 is outside"),
        ("edges", {"labels": LABELS, "edges": EDGES + 2}, "edges: expected numbers from 0 to 1"),
        ("edges", {"labels": LABELS, "edges": EDGES[:, 1:]}, "labels and edges differ"),
    ],
)
def test_wrong_input_is_never_painted(call, name, given, sentence):
    with pytest.raises(tf.errors.InvalidArgumentError, match=sentence):
        call(name, **given)


SCENE = {"labels": LABELS, "image": IMAGE, "ensemble_weights": DRAWN}
ROWS = np.ones((1, 14, 3), np.float32)
COLORS = {"color_scale": ROWS, "color_shift": ROWS}


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        (
            "appearance",
            SCENE | COLORS | {"color_scale": ROWS[:, 1:]},
            "color_scale: expected three numbers for each label map, class and void, 1 x 14 x 3, "
            "got 1 x 13 x 3",
        ),
        (
            "appearance",
            SCENE | COLORS | {"color_shift": np.concatenate([ROWS, ROWS])},
            "color_shift: expected .* 1 x 14 x 3, got 2 x 14 x 3",
        ),
        (
            "appearance",
            SCENE | COLORS | {"color_shift": ROWS * np.nan},
            "color_shift: expected finite numbers, got others",
        ),
        ("appearance", SCENE | COLORS | {"labels": WRONG}, "class id 77 is outside"),
        ("appearance", SCENE | COLORS | {"image": IMAGE[:, 1:]}, "differ in number, height"),
        (
            "encoded_appearance",
            FILES | COLORS | {"ensemble_weights": DRAWN, "color_scale": ROWS * np.inf},
            "color_scale: expected finite numbers",
        ),
        (
            "edges",
            {"labels": LABELS, "edges": EDGES, "colors": IMAGE[:, 1:]},
            "labels and colors differ",
        ),
        (
            "edges",
            {"labels": LABELS, "edges": EDGES, "colors": IMAGE - 300.0},
            "colors: expected numbers from 0 to 255",
        ),
    ],
)
def test_wrong_colors_are_never_painted(call_colored, name, given, sentence):
    with pytest.raises(tf.errors.InvalidArgumentError, match=sentence):
        call_colored(name, **given)
