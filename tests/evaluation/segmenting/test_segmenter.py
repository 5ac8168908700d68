import keras
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.evaluation.segmenting.segmenter import Segmenter, balanced, cross_entropy
from sflowgan_tf.networks.pspnet import PSPNet
from sflowgan_tf.networks.small_pspnet import SmallPSPNet

CLASSES, VOID = 3, 255


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(1)


def made(optimizer=None, auxiliary_weight=0.4, class_weights=None, network=None):
    network = network or PSPNet(CLASSES, filters=4, units=(1, 1, 1, 1))
    network.build((None, None, None, 3))
    segmenter = Segmenter(network, auxiliary_weight=auxiliary_weight, class_weights=class_weights)
    segmenter.compile(optimizer or keras.optimizers.SGD(0.05, momentum=0.9), jit_compile=False)
    return segmenter


def batch():
    """Bright, middle and dark thirds are the classes; a column is void."""
    labels = np.repeat(np.arange(CLASSES), 8)[None, None] * np.ones((2, 16, 1))
    image = np.repeat(labels[..., None] * 120, 3, axis=-1)
    labels[..., 5] = VOID
    return {"labels": tf.constant(labels, tf.uint8), "image_real": tf.constant(image, tf.uint8)}


def test_cross_entropy_by_hand():
    logits = np.log([[[[0.7, 0.2, 0.1], [0.25, 0.5, 0.25]]]]).astype("float32")
    loss = cross_entropy(tf.constant(logits), tf.constant([[[0, 2]]], tf.uint8))
    assert float(loss) == pytest.approx(-(np.log(0.7) + np.log(0.25)) / 2)


@pytest.mark.parametrize("void", [CLASSES, 200, VOID])
def test_void_pixels_neither_count_nor_pull(void):
    logits = tf.Variable(np.random.default_rng(0).normal(size=(1, 1, 2, 3)).astype("float32"))
    with tf.GradientTape() as tape:
        loss = cross_entropy(logits, tf.constant([[[1, void]]], tf.uint8))
    alone = cross_entropy(logits[:, :, :1], tf.constant([[[1]]], tf.uint8))
    assert float(loss) == pytest.approx(float(alone))
    gradient = tape.gradient(loss, logits).numpy()
    assert np.all(gradient[0, 0, 0]) and not np.any(gradient[0, 0, 1])


def test_a_frame_all_void_costs_nothing():
    logits = tf.Variable(tf.ones((1, 2, 2, 3)))
    with tf.GradientTape() as tape:
        loss = cross_entropy(logits, tf.fill((1, 2, 2), tf.constant(VOID, tf.uint8)))
    assert float(loss) == 0
    assert not np.any(tape.gradient(loss, logits))


def test_a_weighted_pixel_counts_as_often_as_its_weight():
    logits = tf.constant(np.random.default_rng(0).normal(size=(1, 1, 3, 3)), tf.float32)
    alone = [
        float(cross_entropy(logits[:, :, i : i + 1], tf.constant([[[label]]], tf.uint8)))
        for i, label in enumerate((0, 2))
    ]
    labels = tf.constant([[[0, 2, VOID]]], tf.uint8)
    weights = np.array([0.5, 1, 3], np.float32)
    loss = cross_entropy(logits, labels, weights)
    assert float(loss) == pytest.approx((0.5 * alone[0] + 3 * alone[1]) / 2)


def test_balanced_weights_by_hand():
    pixels = np.array([90, 0, 10])
    np.testing.assert_allclose(balanced(pixels, 0.0), [1, 0, 1])
    np.testing.assert_allclose(balanced(pixels, 1.0), [1 / 1.8, 0, 5], rtol=1e-6)
    half = balanced(pixels, 0.5)
    assert half[2] / half[0] == pytest.approx(3)
    assert (half * pixels).sum() / 100 == pytest.approx(1)


def test_a_step_descends_along_both_losses():
    # One step of plain descent with a rate of 1 moves the weights by the gradient.
    segmenter = made(keras.optimizers.SGD(1.0), auxiliary_weight=0.25)
    data, network = batch(), segmenter.network
    seeds = [v for v in network.variables if v.path.endswith("seed_generator_state")]
    state = [v.numpy() for v in seeds]
    images = tf.cast(data["image_real"], tf.float32) / 127.5 - 1
    with tf.GradientTape() as tape:
        both = network(images, training=True)
        losses = [cross_entropy(logits, data["labels"]) for logits in both]
        total = losses[0] + 0.25 * losses[1]
    gradients = tape.gradient(total, [v.value for v in network.trainable_variables])
    expected = [v.numpy() - g for v, g in zip(network.trainable_variables, gradients, strict=True)]
    for variable, value in zip(seeds, state, strict=True):
        variable.assign(value)
    logs = segmenter.train_step(data)
    for variable, value in zip(network.trainable_variables, expected, strict=True):
        np.testing.assert_allclose(variable, value, atol=1e-5)
    assert {name: float(value) for name, value in logs.items()} == pytest.approx(
        {
            "segmentation_loss": float(losses[0]),
            "auxiliary_loss": float(losses[1]),
            "segmenter_gradient": float(tf.linalg.global_norm(gradients)),
        },
        rel=1e-4,
    )
    assert int(segmenter.step) == 1


@pytest.mark.parametrize("small", [False, True])
def test_it_learns_what_there_is_to_see(small):
    network = SmallPSPNet(CLASSES, filters=4) if small else None
    segmenter, data = made(network=network), batch()
    step = tf.function(segmenter.train_step)
    costs = [float(step(data)["segmentation_loss"]) for _ in range(40)]
    assert costs[-1] < costs[0] / 2


def test_segments_are_the_likeliest_classes():
    segmenter, frames = made(), batch()["image_real"]
    found = segmenter.segment(frames)
    assert found.dtype == tf.uint8
    logits = segmenter.network(frames.numpy().astype("float32") / 127.5 - 1)
    np.testing.assert_array_equal(found, np.argmax(logits, axis=-1))


def test_a_checkpoint_holds_every_variable():
    segmenter = made()
    saved = segmenter.state().checkpoint()
    count = len(segmenter.network.variables) + len(segmenter.optimizer.variables)
    assert len(saved.network) + len(saved.optimizer) == count
    assert saved.step is segmenter.step
    paths = [variable.path for variable in segmenter.network.variables]
    assert sum(path.endswith("seed_generator_state") for path in paths) == 2  # dropout's


def test_float16_scales_the_loss_and_reports_the_norm_without_scale():
    exact = made()
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05), initial_scale=2.0**10)
    segmenter = made(scaled)
    segmenter.network.set_weights(exact.network.get_weights())
    norms = []
    for each in (exact, segmenter):
        for layer in (*each.network.classify, *each.network.auxiliary):
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0
        norms.append(float(each.train_step(batch())["segmenter_gradient"]))
    assert norms[0] == pytest.approx(norms[1], rel=1e-3)
