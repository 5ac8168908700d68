import tensorflow as tf

from sflowgan_tf.translation.signatures import COLORED_SIGNATURES, SIGNATURES, misfits


def definitions(**changed):
    """SignatureDef messages of an artefact; `None` leaves one out."""
    messages = {}
    for name, signature in (SIGNATURES | changed).items():
        if signature is not None:
            messages[name] = tf.compat.v1.saved_model.build_signature_def(
                inputs=_infos(signature.inputs), outputs=_infos(signature.outputs)
            )
    return messages


def _infos(specs):
    with tf.Graph().as_default():
        return {
            name: tf.compat.v1.saved_model.build_tensor_info(
                tf.compat.v1.placeholder(spec.dtype, spec.shape)
            )
            for name, spec in specs.items()
        }


def changed(name, **inputs):
    """A signature with other inputs."""
    old = SIGNATURES[name]
    return {name: type(old)({**old.inputs, **inputs}, old.outputs)}


def test_its_own_signatures_fit_and_further_ones_do_not_matter():
    assert misfits(definitions()) == []
    assert misfits(definitions(further=SIGNATURES["edges"])) == []


def test_a_model_that_sees_colors_has_more_of_them():
    assert misfits(definitions(**COLORED_SIGNATURES)) == []
    appearance = {"appearance": COLORED_SIGNATURES["appearance"]}
    assert misfits(definitions(**appearance)) == [
        "edges takes no colors (float32 (None, None, None, 3))",
        "there is no signature encoded_appearance",
    ]


def test_every_difference_is_named():
    assert misfits(definitions(card=None)) == ["there is no signature card"]
    small = tf.TensorSpec([None, 256, 256, 3], tf.float32)
    assert misfits(definitions(**changed("serving_default", image=small))) == [
        "serving_default takes image as float32 (None, 256, 256, 3) instead of uint8 "
        "(None, None, None, 3)"
    ]
    depth = tf.TensorSpec(None, tf.float32)
    assert misfits(definitions(**changed("edges", depth=depth))) == [
        "edges takes depth (float32 unknown shape) too"
    ]
    old = SIGNATURES["encoded"]
    bare = {"encoded": type(old)({}, {"picture": tf.TensorSpec([None], tf.string)})}
    assert misfits(definitions(**bare)) == [
        "encoded takes no labels_bytes (string (None))",
        "encoded takes no image_bytes (string (None))",
        "encoded gives no image_bytes (string (None))",
        "encoded gives picture (string (None)) too",
    ]
