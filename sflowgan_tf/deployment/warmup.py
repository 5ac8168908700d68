"""Requests with which TensorFlow Serving warms a model up before it answers the first client."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from sflowgan_tf.translation.signatures import SIGNATURES

_FILE = "assets.extra/tf_serving_warmup_requests"


def write(folder: Path, name: str, requests: dict[str, dict[str, np.ndarray]]) -> None:
    """Writes the file that TensorFlow Serving looks for.

    Args:
        folder: of the SavedModel.
        name: of the model.
        requests: for each signature its inputs, with the names of `SIGNATURES`.
    """
    file = folder / _FILE
    file.parent.mkdir()
    with tf.io.TFRecordWriter(str(file)) as writer:
        for signature, inputs in requests.items():
            log = prediction_log_pb2.PredictionLog()
            log.predict_log.request.CopyFrom(predict_request(name, signature, inputs))
            writer.write(log.SerializeToString())


def predict_request(
    name: str, signature: str, inputs: dict[str, np.ndarray]
) -> predict_pb2.PredictRequest:
    """A request as gRPC takes it.

    Args:
        name: of the model.
        signature: which is called.
        inputs: arrays with the names, dtypes and shapes of `SIGNATURES`; bytes as objects.
    """
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = name, signature
    for key, spec in SIGNATURES[signature].inputs.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(inputs[key], spec.dtype))
    return request
