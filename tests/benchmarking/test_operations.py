import tensorflow as tf

from sflowgan_tf.benchmarking.operations import inlined, operations

IMAGE = tf.TensorSpec([2, 8, 10, 3])
FORWARD = 2 * (2 * 8 * 10 * 4) * (3 * 3 * 3)  # outputs times kernel; each one is two operations


def kernel():
    return tf.Variable(tf.ones([3, 3, 3, 4]))


def count(function, *specs):
    return operations(tf.function(function).get_concrete_function(*specs))


def test_a_convolution_has_those_of_its_kernel_at_each_pixel():
    weights = kernel()
    assert count(lambda x: tf.nn.conv2d(x, weights, 1, "SAME"), IMAGE) == FORWARD


def test_a_stride_leaves_out_pixels():
    weights = kernel()
    assert count(lambda x: tf.nn.conv2d(x, weights, 2, "SAME"), IMAGE) == FORWARD / 4


def test_what_no_output_needs_is_not_counted():
    weights = kernel()

    def gradient(x):
        with tf.GradientTape() as tape:  # asks for the image's gradient nowhere, but builds it
            y = tf.nn.conv2d(x, weights, 1, "SAME")
        return tape.gradient(y, weights)

    ones = 2 * 8 * 10 * 4  # at most, of what the sum's gradient is made of
    assert FORWARD <= count(gradient, IMAGE) <= FORWARD + ones


def test_a_function_of_unknown_shapes_is_counted_at_those_of_its_call():
    weights, image = kernel(), tf.zeros(IMAGE.shape)
    signature = [tf.TensorSpec([None, None, None, 3])]
    inner = tf.function(lambda x: tf.nn.conv2d(x, weights, 1, "SAME"), input_signature=signature)
    assert operations(inlined(lambda: inner(image))) == FORWARD


def test_what_changes_a_variable_is_counted():
    kept = tf.Variable(tf.zeros([2, 5]))

    def multiply(a, b):
        kept.assign(tf.matmul(a, b))

    assert count(multiply, tf.TensorSpec([2, 3]), tf.TensorSpec([3, 5])) == 2 * 2 * 3 * 5
