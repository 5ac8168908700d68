import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from sflowgan_tf.translation.signatures import COLORED_SIGNATURES, SIGNATURES


@pytest.mark.parametrize("kind", ["exported", "colored_exported"])
def test_every_signature_that_paints_is_warmed_up_with_a_real_scene(kind, request, exportable):
    exported = request.getfixturevalue(kind)
    signatures = SIGNATURES if kind == "exported" else COLORED_SIGNATURES
    file = exported / "assets.extra/tf_serving_warmup_requests"
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(file))
    ]
    requests = [log.predict_log.request for log in logs]
    asked = [request.model_spec.signature_name for request in requests]
    assert asked == [name for name in signatures if name != "card"]
    assert {request.model_spec.name for request in requests} == {"city"}
    loaded = tf.saved_model.load(str(exported))
    for name, request in zip(asked, requests, strict=True):
        inputs = {key: tf.constant(tf.make_ndarray(x)) for key, x in request.inputs.items()}
        outputs = loaded.signatures[name](**inputs)
        assert all(len(output) == 1 for output in outputs.values())
    labels = tf.make_ndarray(requests[0].inputs["labels"])
    np.testing.assert_array_equal(labels[0], exportable.frames[0]["labels"])
