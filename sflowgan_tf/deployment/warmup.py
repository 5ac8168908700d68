"""Requests with which TensorFlow Serving warms a model up before it answers the first client."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from sflowgan_tf.translation.server import predict_request

_FILE = "assets.extra/tf_serving_warmup_requests"


def write(folder: Path, name: str, requests: dict[str, dict[str, np.ndarray]]) -> None:
    """Writes the file that TensorFlow Serving looks for.

    Args:
        folder: of the SavedModel.
        name: of the model.
        requests: for each signature its inputs, named as in `COLORED_SIGNATURES`.
    """
    file = folder / _FILE
    file.parent.mkdir()
    with tf.io.TFRecordWriter(str(file)) as writer:
        for signature, inputs in requests.items():
            log = prediction_log_pb2.PredictionLog()
            log.predict_log.request.CopyFrom(predict_request(name, signature, inputs))
            writer.write(log.SerializeToString())
