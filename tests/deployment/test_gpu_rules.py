"""What TensorFlow converts: our own networks, and what no GPU delegate runs."""

import keras
import pytest
import tensorflow as tf

from sflowgan_tf.deployment import gpu_rules
from sflowgan_tf.deployment.conversion import Network
from sflowgan_tf.networks.dned import DNED
from sflowgan_tf.networks.generator import GlobalGenerator, LocalEnhancer
from sflowgan_tf.networks.unet import UNet
from sflowgan_tf.ops.settings import EdgeSettings
from sflowgan_tf.translation.translator import Translator
from sflowgan_tf.utils.quiet import held_back

SMALL = {"filters": 2, "downsamplings": 1, "blocks": 1}


def converted(function, *shapes, dtype=tf.float32):
    module = tf.Module()
    specs = [tf.TensorSpec(shape, dtype) for shape in shapes]
    module.function = tf.function(function, input_signature=specs)
    concrete = module.function.get_concrete_function()
    with held_back():
        return tf.lite.TFLiteConverter.from_concrete_functions([concrete], module).convert()


@pytest.mark.parametrize(
    "generator",
    [
        GlobalGenerator(**SMALL, skips=True),
        GlobalGenerator(**SMALL, upsampling="bilinear"),
        GlobalGenerator(**SMALL, upsampling="nearest", separable=True),
        LocalEnhancer(**SMALL, global_blocks=1),
        UNet(filters=2, downsamplings=2),
    ],
    ids=["global", "bilinear", "separable", "enhancer", "unet"],
)
def test_every_network_may_run_on_a_gpu(generator):
    generator.build((None, None, None, 6))
    dned = DNED(filters=1)
    dned.build((None, None, None, 1))
    translator = Translator(
        generator=generator, dned=dned, num_classes=5, edge_settings=EdgeSettings()
    )
    model = Network(translator, (20, 12), redraws=True).convert("fp32", [], [])
    assert gpu_rules.violations(model) == []


IMAGE = (1, 8, 8, 4)


def upsampling():
    layer = keras.layers.Conv2DTranspose(2, 3, strides=2)
    layer.build((None, 8, 8, 4))
    return layer


def resized(**corners):
    return lambda x: tf.raw_ops.ResizeBilinear(images=x, size=[16, 16], **corners)


UNKNOWN = "not known to run on the GPU delegate"


@pytest.mark.parametrize(
    ("said", "model"),
    [
        (f"2 x COS: {UNKNOWN}", lambda: converted(lambda x: tf.cos(tf.cos(x)), IMAGE)),
        (
            f"1 x ONE_HOT: {UNKNOWN}",
            lambda: converted(lambda x: tf.one_hot(x, 5), (1, 8, 8), dtype=tf.int32),
        ),
        (f"SHAPE: {UNKNOWN}", lambda: converted(upsampling(), (None, 8, 8, 4))),
        (
            "1 x CAST: from UINT8 to FLOAT32",
            lambda: converted(lambda x: tf.cast(x, tf.float32), IMAGE, dtype=tf.uint8),
        ),
        (
            "1 x RESHAPE: a tensor has 5 axes; 4 at most",
            lambda: converted(lambda x: tf.reshape(x, (1, 8, 8, 2, 2)), IMAGE),
        ),
        (
            "1 x TANH: the size of a tensor is not fixed",
            lambda: converted(tf.tanh, (None, 8, 8, 4)),
        ),
        (
            "1 x MIRROR_PAD: mirrors the border too (SYMMETRIC); only REFLECT is run",
            lambda: converted(
                lambda x: tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC"), IMAGE
            ),
        ),
        (
            "1 x MIRROR_PAD: with paddings 2x2; expected 3x2 or 4x2",
            lambda: converted(lambda x: tf.pad(x, [[0, 0], [1, 1]], "REFLECT"), (8, 8)),
        ),
        (
            "1 x RESIZE_BILINEAR: with align_corners and half_pixel_centers together",
            lambda: converted(resized(align_corners=True, half_pixel_centers=True), IMAGE),
        ),
        (
            "1 x STRIDED_SLICE: changes the number of axes, or has not 3 or 4",
            lambda: converted(lambda x: x[:, 2], IMAGE),
        ),
    ],
    ids=range(10),
)
def test_what_may_not_run_is_named(said, model):
    """The analyzer of TensorFlow 2.21 calls all of these compatible."""
    assert any(clause.endswith(said) for clause in gpu_rules.violations(model()))


def test_other_ways_to_resize_are_fine():
    assert gpu_rules.violations(converted(resized(half_pixel_centers=True), IMAGE)) == []
