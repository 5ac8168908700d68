"""The two fronts of TensorFlow Serving around a SavedModel: gRPC's PredictionService and REST.

They speak tensorflow-serving-api's messages and JSON as its documentation has it, on 127.0.0.1; the
model is loaded as anyone would load it, without this project's code.
"""

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)


class Refused(Exception):
    """A request that is answered with an error: a gRPC code and what is wrong."""

    def __init__(self, code, reason):
        super().__init__(reason)
        self.code, self.reason = code, reason


class Served:
    """A model by its name.

    `odd` holds answers to give in the place of the right ones, by the name of a signature or
    "metadata": bytes over REST, messages over gRPC. `refusal` is the reason with which all but the
    card is refused. `before` is called before each picture.
    """

    def __init__(self, folder, name="city"):
        self.odd, self.refusal, self.before = {}, None, lambda: None
        self.name, self.signatures = name, tf.saved_model.load(str(folder)).signatures
        message = saved_model_pb2.SavedModel()
        message.ParseFromString((folder / "saved_model.pb").read_bytes())
        self.definitions = message.meta_graphs[0].signature_def
        self.asked = []

    def check(self, name):
        if name != self.name:
            raise Refused("NOT_FOUND", f"Servable not found for request: Latest({name})")

    def metadata(self):
        message = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in self.definitions.items():
            message.signature_def[name].CopyFrom(definition)
        return message

    def predict(self, signature, inputs):
        """Outputs of a signature, inputs as tensors or nested lists."""
        self.asked.append(signature)
        if signature != "card":
            self.before()
        if self.refusal and signature != "card":
            raise Refused("INVALID_ARGUMENT", self.refusal)
        if signature not in self.signatures:
            raise Refused("INVALID_ARGUMENT", f'Serving signature name: "{signature}" not found')
        expected = self.definitions[signature].inputs
        if set(inputs) != set(expected):
            raise Refused("INVALID_ARGUMENT", f"input size does not match signature: {[*inputs]}")
        try:
            tensors = {
                key: tf.constant(value, tf.as_dtype(expected[key].dtype))
                for key, value in inputs.items()
            }
            return {key: out.numpy() for key, out in self.signatures[signature](**tensors).items()}
        except tf.errors.InvalidArgumentError as error:
            raise Refused("INVALID_ARGUMENT", error.message) from None
        except (TypeError, ValueError) as error:
            raise Refused("INVALID_ARGUMENT", str(error)) from None


class _Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, served):
        self.served = served

    def Predict(self, request, context):
        try:
            self.served.check(request.model_spec.name)
            inputs = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
            signature = request.model_spec.signature_name or "serving_default"
            if signature in self.served.odd:
                return self.served.odd[signature]
            outputs = self.served.predict(signature, inputs)
        except Refused as refused:
            context.abort(grpc.StatusCode[refused.code], refused.reason)
        answer = predict_pb2.PredictResponse()
        for key, value in outputs.items():
            answer.outputs[key].CopyFrom(tf.make_tensor_proto(value))
        return answer

    def GetModelMetadata(self, request, context):
        try:
            self.served.check(request.model_spec.name)
        except Refused as refused:
            context.abort(grpc.StatusCode[refused.code], refused.reason)
        if "metadata" in self.served.odd:
            return self.served.odd["metadata"]
        answer = get_model_metadata_pb2.GetModelMetadataResponse()
        answer.metadata["signature_def"].Pack(self.served.metadata())
        return answer


def _handler(served):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._answer(self._described)

        def do_POST(self):
            self._answer(self._predicted)

        def log_message(self, *_):
            pass

        def _answer(self, work):
            try:
                code, body = 200, work()
            except Refused as refused:
                code = {"NOT_FOUND": 404}.get(refused.code, 400)
                body = {"error": refused.reason}
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _described(self):
            served.check(self.path.split("/")[3])
            if not self.path.endswith("/metadata"):
                status = {"error_code": "OK", "error_message": ""}
                version = {"version": "1", "state": "AVAILABLE", "status": status}
                return {"model_version_status": [version]}
            if "metadata" in served.odd:
                return served.odd["metadata"]
            definitions = json_format.MessageToDict(
                served.metadata(), preserving_proto_field_name=True
            )
            spec = {"name": served.name, "signature_name": "", "version": "1"}
            return {"model_spec": spec, "metadata": {"signature_def": definitions}}

        def _predicted(self):
            model, colon, verb = self.path.split("/")[3].partition(":")
            served.check(model)
            assert (colon, verb) == (":", "predict")
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            signature = body.get("signature_name", "serving_default")
            if signature in served.odd:
                return served.odd[signature]
            if "inputs" in body:
                return {"outputs": self._outputs(signature, body["inputs"])}
            keys = body["instances"][0]
            rows = {key: [row[key] for row in body["instances"]] for key in keys}
            return {"predictions": self._outputs(signature, rows)}

        def _outputs(self, signature, inputs):
            inputs = {key: _decoded(value) for key, value in inputs.items()}
            outputs = served.predict(signature, inputs)
            (written,) = (_written(key, value) for key, value in outputs.items())
            return written

    return Handler


def _decoded(value):
    if isinstance(value, dict):
        return base64.b64decode(value["b64"])
    return [_decoded(one) for one in value] if isinstance(value, list) else value


def _written(key, value):
    if value.dtype != object:
        return value.tolist()
    if key.endswith("_bytes"):
        return [{"b64": base64.b64encode(one).decode()} for one in value]
    return [one.decode() for one in value]


@contextmanager
def serving(folder, name="city"):
    """Serves a SavedModel; gives {"rest": url, "grpc": url} and what counts the requests."""
    served = Served(folder, name)
    workers = ThreadPoolExecutor(8)
    service = grpc.server(workers)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(_Service(served), service)
    port = service.add_insecure_port("127.0.0.1:0")
    service.start()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    try:
        rest = f"http://127.0.0.1:{http.server_port}/v1/models/{name}"
        yield {"rest": rest, "grpc": f"grpc://127.0.0.1:{port}/{name}"}, served
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
        service.stop(None).wait()
        workers.shutdown()


def scene(width=32, height=16, seed=0, classes=13):
    """Labels (height, width) uint8 and an image (height, width, 3) uint8."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, classes, (height, width), np.uint8)
    labels[0, 0] = 255  # void
    return labels, draw.integers(0, 256, (height, width, 3), np.uint8)
