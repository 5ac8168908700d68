import numpy as np
import tensorflow as tf

from sflowgan_tf.deployment import flatbuffer


def converted(function, *shape):
    module = tf.Module()
    module.function = tf.function(function, input_signature=[tf.TensorSpec(shape)])
    concrete = module.function.get_concrete_function()
    return tf.lite.TFLiteConverter.from_concrete_functions([concrete], module).convert()


def kernel(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def convolved(x):
    return tf.nn.conv2d(x, kernel(3, 3, 4, 5), 1, "VALID")


def test_operations_are_counted():
    model = converted(lambda x: tf.tanh(tf.abs(tf.tanh(convolved(x)))), 1, 8, 10, 4)
    assert flatbuffer.counts(model) == {"ABS": 1, "CONV_2D": 1, "TANH": 2}
    assert flatbuffer.counts(model + b"what follows") == flatbuffer.counts(model)


def test_tensors_are_described():
    (op,) = flatbuffer.read(converted(convolved, 1, 8, 10, 4))
    image, weights, bias = op.inputs
    assert (image.shape, image.is_const) == ((1, 8, 10, 4), False)
    assert (weights.shape, weights.dtype, weights.is_const) == ((5, 3, 3, 4), "FLOAT32", True)
    assert bias.shape == (5,) and bias.is_const
    assert op.outputs[0].shape == (1, 6, 8, 5) and op.outputs[0].is_fixed
    (op,) = flatbuffer.read(converted(convolved, None, 8, 10, 4))
    assert not op.inputs[0].is_fixed
