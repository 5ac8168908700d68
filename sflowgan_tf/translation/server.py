"""TensorFlow Serving's two protocols: REST (JSON over HTTP) and gRPC."""

import base64
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Protocol

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    model_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from sflowgan_tf.translation.signatures import SIGNATURES
from sflowgan_tf.utils.errors import Failure, UserError

_TIMEOUT = 300  # seconds for one picture; a large one on a CPU takes many
_ANY_SIZE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
_HOW = "expected http://HOST:8501/v1/models/NAME or grpc://HOST:8500/NAME; /VERSION may follow"

Arrays = dict[str, np.ndarray]


class Wire(Protocol):
    """A model on a server."""

    def signatures(self) -> Any:
        """SignatureDef messages by name.

        Raises:
            UserError: nobody answers, or there is no such model.
        """
        ...

    def predict(self, name: str, inputs: Arrays) -> Arrays:
        """What a signature gives.

        Args:
            name: of the signature.
            inputs: arrays with the names, dtypes and shapes of `SIGNATURES`; bytes as objects.

        Raises:
            Failure: the server refuses, with its reason, or no longer answers.
        """
        ...


def connect(url: str) -> Wire:
    """The model that a URL names.

    Raises:
        UserError: it is no such URL.
    """
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError as error:
        raise UserError(f"--server {url}: {error}; {_HOW}") from None
    names = [name for name in parts.path.split("/") if name]
    if parts.scheme in ("http", "https") and parts.netloc and names[:2] == ["v1", "models"]:
        return Rest(url.rstrip("/"))
    if parts.scheme == "grpc" and parts.netloc and 1 <= len(names) <= 2:
        version = names[1] if names[1:] else ""
        if not version or version.isdecimal():
            return Grpc(parts.netloc, names[0], int(version) if version else None)
    raise UserError(f"--server {url}: {_HOW}")


class Rest:
    """JSON over HTTP; pictures in base64."""

    def __init__(self, url: str):
        """A model by its URL, http://HOST:PORT/v1/models/NAME or .../NAME/versions/N."""
        self.url = url

    def signatures(self) -> Any:
        """See `Wire`."""
        try:
            answer = self._ask("/metadata", None)
            found = answer["metadata"]["signature_def"]
            message = get_model_metadata_pb2.SignatureDefMap()
            json_format.ParseDict(found, message, ignore_unknown_fields=True)
        except Failure as error:
            raise UserError(
                f"{error}; is it TensorFlow Serving, and does it serve that model?"
            ) from None
        except (KeyError, TypeError, ValueError, json_format.ParseError) as error:
            raise UserError(
                f"--server {self.url}: no answer of TensorFlow Serving ({error})"
            ) from None
        return message.signature_def

    def predict(self, name: str, inputs: Arrays) -> Arrays:
        """See `Wire`."""
        given = {key: _to_json(value) for key, value in inputs.items()}
        answer = self._ask(":predict", {"signature_name": name, "inputs": given})
        specs = SIGNATURES[name].outputs
        ((key, spec),) = specs.items()
        return {key: _from_json(answer["outputs"], spec.dtype)}

    def _ask(self, what: str, body: dict[str, Any] | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + what, data, headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Failure(f"--server {self.url}: refuses: {_reason(error)}") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Failure(f"--server {self.url}: does not answer ({error})") from None


def _reason(error: urllib.error.HTTPError) -> str:
    text = error.read().decode(errors="replace")
    try:
        return json.loads(text)["error"]
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}"


def _to_json(array: np.ndarray) -> Any:
    if array.dtype == object:
        return [{"b64": base64.b64encode(value).decode()} for value in array]
    return array.tolist()


def _from_json(values: Any, dtype: tf.DType) -> np.ndarray:
    if dtype != tf.string:
        return np.array(values, dtype.as_numpy_dtype)
    decoded = [base64.b64decode(v["b64"]) if isinstance(v, dict) else v.encode() for v in values]
    return np.array(decoded, object)


class Grpc:
    """PredictionService."""

    def __init__(self, address: str, name: str, version: int | None):
        """A model by its server's HOST:PORT, its name, and its version unless it is the latest."""
        self.where = f"--server grpc://{address}/{name}"
        self.model = model_pb2.ModelSpec(name=name)
        if version is not None:
            self.model.version.value = version
        channel = grpc.insecure_channel(address, options=_ANY_SIZE)
        self.service = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    def signatures(self) -> Any:
        """See `Wire`."""
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=self.model, metadata_field=["signature_def"]
        )
        try:
            answer = self.service.GetModelMetadata(request, timeout=_TIMEOUT)
        except grpc.RpcError as error:
            raise UserError(
                f"{self.where}: {_told(error)}; is it TensorFlow Serving, and does it serve that "
                "model?"
            ) from None
        message = get_model_metadata_pb2.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(message)
        return message.signature_def

    def predict(self, name: str, inputs: Arrays) -> Arrays:
        """See `Wire`."""
        request = predict_request(self.model.name, name, inputs)
        request.model_spec.MergeFrom(self.model)
        try:
            answer = self.service.Predict(request, timeout=_TIMEOUT)
        except grpc.RpcError as error:
            raise Failure(f"{self.where}: refuses: {_told(error)}") from None
        return {key: tf.make_ndarray(value) for key, value in answer.outputs.items()}


def _told(error: Any) -> str:
    return f"{error.code().name}: {error.details()}"


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
