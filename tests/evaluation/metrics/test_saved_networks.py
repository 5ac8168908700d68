import keras
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.evaluation.metrics.saved_networks import vectors_of
from sflowgan_tf.utils.errors import UserError

SHAPE = (None, 8, 8, 3)
ANY = tf.TensorSpec([None, None, None, 3], tf.float32)


def pictures(count=3, size=8):
    return np.random.default_rng(0).uniform(-1, 1, (count, size, size, 3)).astype("float32")


def saved(folder, function, *signature, name="serving_default"):
    """A SavedModel with one signature and nothing to call."""
    module = tf.Module()
    traced = tf.function(function, input_signature=signature)
    tf.saved_model.save(module, str(folder), {name: traced.get_concrete_function()})
    return folder


def means(images):
    return tf.reduce_mean(images, axis=(1, 2))


@pytest.mark.parametrize("name", ["serving_default", "default", "features"])
def test_a_signature(name, tmp_path):
    got = vectors_of(saved(tmp_path, means, ANY, name=name), SHAPE)(pictures())
    np.testing.assert_allclose(got, pictures().mean((1, 2)), atol=1e-6)


def test_a_keras_export_of_fixed_size(tmp_path):
    network = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(4)]
    )
    network.export(tmp_path, verbose=False)
    got = vectors_of(tmp_path, SHAPE)(pictures())
    np.testing.assert_allclose(got, network(pictures()), atol=1e-5)


def test_an_object_that_is_called_gives_its_pool_3(tmp_path):
    """As TF-GAN's Inception: features beside logits, with two axes to spare."""

    class Inception(tf.Module):
        @tf.function(input_signature=[ANY])
        def __call__(self, images):
            pool = tf.reduce_mean(images, axis=(1, 2), keepdims=True)
            return {"logits": tf.zeros((tf.shape(images)[0], 7)), "pool_3": pool}

    tf.saved_model.save(Inception(), str(tmp_path))
    got = vectors_of(tmp_path, SHAPE)(pictures())
    assert got.shape == (3, 3)
    np.testing.assert_allclose(got, pictures().mean((1, 2)), atol=1e-6)


def test_an_object_that_is_called_gives_a_vector(tmp_path):
    class Means(tf.Module):
        @tf.function(input_signature=[ANY])
        def __call__(self, images):
            return means(images)

    tf.saved_model.save(Means(), str(tmp_path))
    np.testing.assert_allclose(
        vectors_of(tmp_path, SHAPE)(pictures()), pictures().mean((1, 2)), atol=1e-6
    )


def test_a_module_of_tf1_hub(tmp_path):
    """Two graphs, for inference and for training; the first one has no tags."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        images = tf.compat.v1.placeholder(tf.float32, SHAPE)
        signature = tf.compat.v1.saved_model.predict_signature_def(
            {"images": images}, {"default": means(images)}
        )
        builder = tf.compat.v1.saved_model.Builder(str(tmp_path / "hub"))
        builder.add_meta_graph_and_variables(session, [], {"default": signature})
        builder.add_meta_graph(["train"], {"default": signature})
        builder.save()
    (tmp_path / "hub" / "tfhub_module.pb").write_bytes(b"\x08\x03")
    got = vectors_of(tmp_path / "hub", SHAPE)(pictures())
    np.testing.assert_allclose(got, pictures().mean((1, 2)), atol=1e-6)


def test_clips_of_any_length(tmp_path):
    spec = tf.TensorSpec([None, None, 8, 8, 3], tf.float32)
    folder = saved(tmp_path, lambda x: tf.reduce_mean(x, axis=(1, 2, 3)), spec)
    vectors = vectors_of(folder, (None, None, 8, 8, 3))
    for length in (2, 5):
        assert vectors(tf.zeros((4, length, 8, 8, 3))).shape == (4, 3)


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (tf.TensorSpec([None, 16, 16, 3]), r"float32 of shape \(None, 16, 16, 3\)"),
        (tf.TensorSpec([1, 8, 8, 3]), r"float32 of shape \(1, 8, 8, 3\)"),
        (tf.TensorSpec([None, 3, 8, 8]), r"float32 of shape \(None, 3, 8, 8\)"),
        (tf.TensorSpec([None, None, 8, 8, 3]), r"float32 of shape \(None, None, 8, 8, 3\)"),
        (tf.TensorSpec([None, 8, 8, 3], tf.uint8), r"uint8 of shape \(None, 8, 8, 3\)"),
        (tf.TensorSpec(None, tf.uint8), "uint8 of shape unknown"),
    ],
)
def test_another_input(spec, text, tmp_path):
    folder = saved(tmp_path, lambda x: tf.cast(x, tf.float32), spec)
    with pytest.raises(
        UserError, match=rf"expected .* float32 of shape \(None, 8, 8, 3\).*; found {text}"
    ):
        vectors_of(folder, SHAPE)


def test_an_input_of_unknown_shape_is_tried(tmp_path):
    folder = saved(tmp_path, means, tf.TensorSpec(None))
    assert vectors_of(folder, SHAPE)(pictures()).shape == (3, 3)


def test_two_inputs(tmp_path):
    folder = saved(tmp_path, lambda a, b: means(a + b), ANY, ANY)
    with pytest.raises(UserError, match=r"found float32 of shape .* and float32 of shape"):
        vectors_of(folder, SHAPE)


def test_no_input(tmp_path):
    folder = saved(tmp_path, lambda: tf.zeros((1, 3)))
    with pytest.raises(UserError, match="found no tensor"):
        vectors_of(folder, SHAPE)


def test_something_called_that_was_never_traced(tmp_path):
    class Untraced(tf.Module):
        @tf.function
        def __call__(self, images):
            return means(images)

    tf.saved_model.save(Untraced(), str(tmp_path))
    with pytest.raises(UserError, match="found none"):
        vectors_of(tmp_path, SHAPE)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda x: x, r"float32 of shape \(1, 8, 8, 3\)"),
        (lambda x: tf.reduce_mean(x, axis=(1, 2, 3)), r"float32 of shape \(1,\)"),
        (lambda x: tf.cast(means(x), tf.float64), r"float64 of shape \(1, 3\)"),
    ],
)
def test_an_output_that_is_no_vector(function, text, tmp_path):
    folder = saved(tmp_path, function, ANY)
    with pytest.raises(UserError, match=f"expected one float32 vector a picture, got {text}"):
        vectors_of(folder, SHAPE)


def test_several_outputs(tmp_path):
    folder = saved(tmp_path, lambda x: {"a": means(x), "b": means(x)}, ANY)
    with pytest.raises(UserError, match="expected one output, or one called pool_3, found a, b"):
        vectors_of(folder, SHAPE)


def test_no_signature(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path))
    with pytest.raises(UserError, match="expected a signature serving_default.*found none"):
        vectors_of(tmp_path, SHAPE)


def test_several_signatures(tmp_path):
    traced = tf.function(means, input_signature=[ANY]).get_concrete_function()
    tf.saved_model.save(tf.Module(), str(tmp_path), {"one": traced, "two": traced})
    with pytest.raises(UserError, match="expected a signature serving_default.*found one, two"):
        vectors_of(tmp_path, SHAPE)


def test_no_saved_model(tmp_path):
    with pytest.raises(UserError, match=f"{tmp_path}: no saved_model.pb in it; .*unpack"):
        vectors_of(tmp_path, SHAPE)
    (tmp_path / "saved_model.pb").write_bytes(b"nonsense")
    with pytest.raises(UserError, match=f"{tmp_path}: can't be loaded as .* saved_model.pb is dam"):
        vectors_of(tmp_path, SHAPE)


def test_a_saved_model_without_its_variables(tmp_path):
    module = tf.Module()
    module.weights = tf.Variable(tf.ones(3))
    module.call = tf.function(lambda x: means(x) * module.weights, [ANY])
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": module.call})
    for file in (tmp_path / "variables").iterdir():
        file.unlink()
    with pytest.raises(UserError, match="can't be loaded .* variables are missing or damaged"):
        vectors_of(tmp_path, SHAPE)


def test_an_operation_that_tensorflow_lacks_is_named(tmp_path):
    saved(tmp_path, lambda x: means(tf.nn.relu(x)), ANY)
    file = tmp_path / "saved_model.pb"
    file.write_bytes(file.read_bytes().replace(b"Relu", b"Rule"))
    with pytest.raises(UserError, match="it needs the operation Rule, which TensorFlow .* lacks"):
        vectors_of(tmp_path, SHAPE)


def test_a_model_that_fails_on_the_pictures(tmp_path):
    """What a signature leaves open shows when the model is tried."""

    def of_16_pixels(images):
        with tf.control_dependencies([tf.debugging.assert_equal(tf.shape(images)[1], 16)]):
            return means(images)

    folder = saved(tmp_path, of_16_pixels, ANY)
    with pytest.raises(UserError, match=r"can't take float32 of shape \(1, 8, 8, 3\), ") as refused:
        vectors_of(folder, SHAPE)
    assert "{{" not in str(refused.value) and "[[" not in str(refused.value)
