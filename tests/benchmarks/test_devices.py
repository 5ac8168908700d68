import tensorflow as tf

from benchmarks import devices
from tests.deployment.test_flatbuffer import converted, convolved, kernel


def test_multiplications_are_those_of_the_kernels():
    def depthwise(x):
        return tf.nn.depthwise_conv2d(x, kernel(3, 3, 4, 1), [1, 1, 1, 1], "VALID")

    def transposed(x):
        return tf.nn.conv2d_transpose(x, kernel(3, 3, 5, 4), [1, 16, 20, 5], 2)

    expected = {
        convolved: 6 * 8 * 5 * 9 * 4,
        depthwise: 6 * 8 * 4 * 9,
        transposed: 8 * 10 * 4 * 9 * 5,
        tf.abs: 0,
    }
    for function, count in expected.items():
        assert devices.multiplications(converted(function, 1, 8, 10, 4)) == count
