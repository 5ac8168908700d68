import keras
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.networks import blocks
from sflowgan_tf.networks.pspnet import PSPNet
from sflowgan_tf.networks.pyramid import resize
from sflowgan_tf.utils.errors import UserError

CLASSES = 3


def built(**given):
    network = PSPNet(CLASSES, **({"filters": 4, "units": (1, 1, 1, 1)} | given))
    network.build((None, None, None, 3))
    return network


def image(height=32, width=48):
    draw = np.random.default_rng(0)
    return draw.uniform(-1, 1, (1, height, width, 3)).astype("float32")


@pytest.fixture(scope="module")
def resnet(tmp_path_factory):
    """A reference with statistics unlike the fresh ones, and its weights file."""
    keras.utils.set_random_seed(0)
    reference = keras.applications.ResNet50(weights=None, include_top=False)
    draw = np.random.default_rng(1)
    for layer in reference.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            noise = draw.uniform(0.5, 1.0, (4, *gamma.shape))
            layer.set_weights([noise[0], 0.1 * noise[1], 0.1 * noise[2], noise[3]])
    file = tmp_path_factory.mktemp("resnet") / "resnet50.weights.h5"
    reference.save_weights(file)
    return reference, file


@pytest.fixture(scope="module")
def loaded(resnet):
    network = built(filters=64, units=(3, 4, 6, 3), is_pretrained=True)
    network.load_trunk(str(resnet[1]))
    return network


def features(model, x, names):
    return keras.Model(model.input, [model.get_layer(name).output for name in names])(x)


@pytest.mark.parametrize(("height", "width"), [(64, 96), (51, 77)])
def test_the_dilated_trunk_holds_all_features_of_keras_applications(resnet, loaded, height, width):
    x = np.random.default_rng(0).normal(0, 50, (1, height, width, 3)).astype("float32")
    names = [
        "pool1_pool",
        "conv2_block3_out",
        "conv3_block4_out",
        "conv4_block6_out",
        "conv5_block3_out",
    ]
    expected, got = features(resnet[0], x, names), features(loaded.trunk, x, names)
    for step, a, b in zip((1, 1, 1, 2, 4), expected, got, strict=True):
        np.testing.assert_allclose(b[:, ::step, ::step], a, rtol=1e-3, atol=1e-3 * np.abs(a).max())
    assert got[-1].shape[1:3] == (-(-height // 8), -(-width // 8))


def test_a_pretrained_trunk_gets_the_input_that_its_weights_were_trained_with(loaded):
    pixels = keras.applications.resnet.preprocess_input((image() + 1) * 127.5)
    expected = loaded.pyramid(loaded.trunk(pixels)[1])
    np.testing.assert_allclose(loaded.features(image()), expected, rtol=1e-3, atol=1e-3)


def test_a_pretrained_trunk_keeps_its_statistics_and_a_fresh_one_learns_them(loaded):
    norms = [x for x in loaded.trunk.layers if isinstance(x, keras.layers.BatchNormalization)]
    before = [weight.copy() for norm in norms for weight in norm.get_weights()]
    loaded(image(), training=True)
    after = [weight for norm in norms for weight in norm.get_weights()]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert not {id(w) for norm in norms for w in norm.weights} & {
        id(w) for w in loaded.trainable_variables
    }
    fresh = built()
    mean = fresh.trunk.get_layer("conv1_bn").moving_mean
    fresh(image(), training=True)
    assert np.any(mean)


@pytest.mark.usefixtures("without_values")
def test_the_full_size_is_resnet_50_and_psp():
    # the trunk without its top, the pyramid and its fusion, the auxiliary classifier
    trunk = 23_587_712
    pyramid = 4 * (2048 * 512 + 2 * 512) + 4096 * 512 * 9 + 2 * 512 + 512 * 3 + 3
    auxiliary = 1024 * 256 * 9 + 2 * 256 + 256 * 3 + 3
    network = built(filters=64, units=(3, 4, 6, 3))
    assert network.trunk.count_params() == trunk
    dropout_state = 2 * 2
    count = sum(int(np.prod(variable.shape)) for variable in network.variables)
    assert count == trunk + pyramid + auxiliary + dropout_state


def test_a_training_network_gives_the_auxiliary_logits_too():
    network = built()
    shape = (1, 19, 30, CLASSES)
    assert network(image(19, 30)).shape == shape
    assert [x.shape for x in network(image(19, 30), training=True)] == [shape, shape]


def test_one_frame_is_scored_alike_in_any_company():
    network = built()
    two = np.concatenate([image(), -image()])
    np.testing.assert_allclose(network(two)[:1], network(image()), atol=1e-5)


def test_features_look_where_they_are_placed():
    # With equal kernels and a picture that is brightest in its middle the pixels that the feature
    # in the middle depends on lie evenly around it.
    network = built()
    for layer in network.trunk.layers:
        if isinstance(layer, keras.layers.Conv2D):
            layer.set_weights([np.full_like(layer.kernel, 0.05), np.zeros(layer.filters)])
    away = (np.arange(257, dtype="float32") - 128) ** 2
    x = tf.Variable(np.repeat((4e4 - away[:, None] - away)[None, ..., None] / 4e4, 3, axis=-1))
    with tf.GradientTape(persistent=True) as tape:
        middles = [
            tf.reduce_sum(features[0, 128 // stride, 128 // stride])
            for stride, features in zip((8, 8), network.trunk(x), strict=True)
        ]
    for middle in middles:
        seen = np.argwhere(tape.gradient(middle, x)[0, ..., 0])
        assert len(seen) > 1
        np.testing.assert_array_equal(seen.min(0) + seen.max(0), (256, 256))


def test_features_are_what_the_last_classifier_sees_and_stay_at_every_eighth_pixel():
    network = built()
    features = network.features(image())
    assert features.shape == (1, 4, 6, 32)
    logits = blocks.call_stack(network.classify, features)
    np.testing.assert_allclose(network(image())[:, ::8, ::8], logits, atol=1e-6)
    between = [np.arange(length, dtype="float32") / 8 for length in (32, 48)]
    np.testing.assert_allclose(network(image()), resize(logits, between), atol=1e-6)


def test_dropout_and_auxiliary_are_for_training_alone():
    network = built()
    np.testing.assert_array_equal(network(image()), network(image()))
    once, again = (network(image(), training=True)[0] for _ in range(2))
    assert np.any(once != again)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"filters": 6}, "filters: expected a multiple of 4, got 6"),
        ({"filters": 0}, "filters: expected a multiple of 4, got 0"),
        ({"units": (1, 1, 1)}, r"units: expected four numbers of 1 or more, got \(1, 1, 1\)"),
        ({"units": (1, 0, 1, 1)}, "units: expected four"),
        ({"is_pretrained": True}, r"expected 64 and \(3, 4, 6, 3\).*got 4 and \(1, 1, 1, 1\)"),
    ],
)
def test_wrong_arguments(given, said):
    with pytest.raises(ValueError, match=said):
        built(**given)


@pytest.mark.usefixtures("freed")
def test_a_file_that_does_not_fit(tmp_path):
    (tmp_path / "bad.weights.h5").write_bytes(b"nonsense")
    with pytest.raises(UserError, match=r"ResNet50 weights: .*bad\.weights\.h5 does not fit"):
        built().load_trunk(str(tmp_path / "bad.weights.h5"))


def test_weights_that_cannot_be_fetched(monkeypatch):
    def fail(**_):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "ResNet50", fail)
    with pytest.raises(UserError, match=r"could not be fetched .*segmenter\.weights to the path"):
        built().load_trunk("imagenet")
