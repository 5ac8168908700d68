"""A model on TensorFlow Serving, through one of its two protocols: REST (JSON over HTTP), gRPC.

Whatever a server answers, the caller gets arrays that fit the signature, or a sentence.
"""

import base64
import http.client
import ipaddress
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, NoReturn, Protocol

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    model_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from sflowgan_tf.translation import artefact
from sflowgan_tf.translation.artefact import Arrays
from sflowgan_tf.translation.model import Model
from sflowgan_tf.translation.signatures import COLORED_SIGNATURES, text
from sflowgan_tf.utils.errors import Failure, UserError

_TIMEOUT = 300  # seconds for one picture; a large one on a CPU takes many
_ANY_SIZE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
_NO_PROXY = [("grpc.enable_http_proxy", 0)]
_URLS = "expected http://HOST:8501/v1/models/NAME or grpc://HOST:8500/NAME; /VERSION may follow"
# Lines of TensorFlow's error texts that only lead to the one that says what is wrong
_FRAME = re.compile(r"\s*$|Graph execution error|\d+ root error|Detected at node|<stack traces")


class Refusal(Failure):
    """A server that can't be reached, or answers with an error."""


class Connection(Protocol):
    """A model on a server."""

    def signatures(self) -> Any:
        """SignatureDef messages by name.

        Raises:
            Refusal: nobody answers, or there is no such model.
            Failure: the answer is none of TensorFlow Serving.
        """
        ...

    def predict(self, name: str, inputs: Arrays) -> Arrays:
        """The outputs of a signature, of the dtypes and shapes of `COLORED_SIGNATURES`.

        Args:
            name: of the signature.
            inputs: arrays with the names, dtypes and shapes of `COLORED_SIGNATURES`; bytes as
                objects.

        Raises:
            Refusal: the server refuses, with its reason, or can't be reached.
            Failure: the answer does not fit the signature.
        """
        ...

    def close(self) -> None:
        """Ends the connection."""
        ...


def model(url: str) -> Model:
    """The model that a URL names; its `close` ends the connection.

    Raises:
        UserError: it is no such URL, nobody answers there, or the model is none of ours.
        Failure: the answers are none of TensorFlow Serving.
    """
    connection = connect(url)
    try:
        artefact.check(url, connection.signatures())
        engine = artefact.Artefact(url, connection.predict, encoded=True)
    except Refusal as error:
        connection.close()
        raise UserError(
            f"{error}; is it TensorFlow Serving, and does it serve that model?"
        ) from None
    except BaseException:
        connection.close()
        raise
    return engine.model({"server": url}, [], connection.close)


def connect(url: str) -> Connection:
    """The connection that a URL names; nothing is asked yet.

    A server on this machine is asked without the proxy that the environment names.

    Raises:
        UserError: it is no such URL.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:  # a bracket without its fellow, a port that is no number
        raise UserError(f"{url}: {_URLS}") from None
    if not host or re.search(r"\s", url):
        raise UserError(f"{url}: {_URLS}")
    names = [name for name in parts.path.split("/") if name]
    if parts.scheme in ("http", "https") and names[:2] == ["v1", "models"]:
        return Rest(url.rstrip("/"), is_local=_is_local(host))
    if parts.scheme == "grpc" and 1 <= len(names) <= 2:
        version = names[1] if names[1:] else None
        if version is None or version.isdecimal():
            number = None if version is None else int(version)
            return Grpc(parts.netloc, names[0], number, is_local=_is_local(host))
    raise UserError(f"{url}: {_URLS}")


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


class Rest:
    """JSON over HTTP; files in base64. A connection lasts for one request."""

    def __init__(self, url: str, *, is_local: bool):
        """A model by its URL.

        Args:
            url: http://HOST:PORT/v1/models/NAME or .../NAME/versions/N.
            is_local: whether it is on this machine, and asked without a proxy.
        """
        self.url = url
        proxies = urllib.request.ProxyHandler({} if is_local else None)
        self._opener = urllib.request.build_opener(proxies)

    def signatures(self) -> Any:
        """See `Connection`."""
        answer = self._ask("/metadata", None)
        message = get_model_metadata_pb2.SignatureDefMap()
        try:
            definitions = answer["metadata"]["signature_def"]
            json_format.ParseDict(definitions, message, ignore_unknown_fields=True)
        except (KeyError, TypeError, ValueError, AttributeError, json_format.ParseError):
            raise Failure(
                f"{self.url}: answers with other JSON than TensorFlow Serving's metadata of a "
                "model; name a model of TensorFlow Serving"
            ) from None
        return message.signature_def

    def predict(self, name: str, inputs: Arrays) -> Arrays:
        """See `Connection`."""
        values = {key: _to_json(value) for key, value in inputs.items()}
        answer = self._ask(":predict", {"signature_name": name, "inputs": values})
        ((key, spec),) = COLORED_SIGNATURES[name].outputs.items()
        try:
            outputs = {key: _from_json(answer["outputs"], spec.dtype)}
        except (KeyError, TypeError, ValueError):
            _misfit(self.url, name, key, spec, "something else")
        return _fitting(self.url, name, inputs, outputs)

    def close(self) -> None:
        """See `Connection`."""
        self._opener.close()

    def _ask(self, path: str, body: dict[str, Any] | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers)
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as response:
                content = response.read()
        except urllib.error.HTTPError as error:
            with error:
                raise Refusal(f"{self.url}: refuses: {_reason(error)}") from None
        except http.client.HTTPException:
            raise Refusal(f"{self.url}: does not answer in whole HTTP") from None
        except OSError as error:
            reason = getattr(error, "reason", error)  # of a URLError, which wraps another
            said = getattr(reason, "strerror", None) or str(reason)
            raise Refusal(f"{self.url}: does not answer ({said})") from None
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            raise Failure(
                f"{self.url}: answers with something that is no JSON; is it TensorFlow Serving?"
            ) from None


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        reason = json.loads(error.read())["error"]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, RecursionError):
        reason = None
    return _sentence(reason) if isinstance(reason, str) else f"{error.code} {error.reason}"


def _to_json(array: np.ndarray) -> Any:
    if array.dtype == object:
        return [{"b64": base64.b64encode(value).decode()} for value in array]
    return array.tolist()


def _from_json(values: Any, dtype: tf.DType) -> np.ndarray:
    """An output as an array; KeyError, TypeError or ValueError where it is none of that dtype."""
    if not isinstance(values, list):
        raise TypeError
    if dtype == tf.string:
        files = [
            base64.b64decode(value["b64"], validate=True) if isinstance(value, dict) else value
            for value in values
        ]
        return np.array([f.encode() if isinstance(f, str) else f for f in files], object)
    array = np.array(values)
    if array.dtype.kind != "i" or array.min() < dtype.min or array.max() > dtype.max:
        raise ValueError
    return array.astype(dtype.as_numpy_dtype)


class Grpc:
    """PredictionService, over one channel."""

    def __init__(self, address: str, name: str, version: int | None, *, is_local: bool):
        """A model on a server.

        Args:
            address: HOST:PORT.
            name: of the model.
            version: of the model; None is the latest.
            is_local: whether it is on this machine, and asked without a proxy.
        """
        self.url = f"grpc://{address}/{name}" + ("" if version is None else f"/{version}")
        self.model = model_pb2.ModelSpec(name=name)
        if version is not None:
            self.model.version.value = version
        options = _ANY_SIZE + (_NO_PROXY if is_local else [])
        self._channel = grpc.insecure_channel(address, options=options)
        self._service = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)

    def signatures(self) -> Any:
        """See `Connection`."""
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=self.model, metadata_field=["signature_def"]
        )
        answer = self._ask(self._service.GetModelMetadata, request)
        message = get_model_metadata_pb2.SignatureDefMap()
        try:
            is_whole = answer.metadata["signature_def"].Unpack(message)
        except DecodeError:
            is_whole = False
        if not is_whole:
            raise Failure(
                f"{self.url}: answers with other metadata than TensorFlow Serving's; name a model "
                "of TensorFlow Serving"
            )
        return message.signature_def

    def predict(self, name: str, inputs: Arrays) -> Arrays:
        """See `Connection`."""
        request = predict_request(self.model.name, name, inputs)
        request.model_spec.MergeFrom(self.model)
        answer = self._ask(self._service.Predict, request)
        outputs = {}
        for key, spec in COLORED_SIGNATURES[name].outputs.items():
            try:
                outputs[key] = tf.make_ndarray(answer.outputs[key])
            except (KeyError, TypeError, ValueError):  # no tensor, or not as many values as it says
                _misfit(self.url, name, key, spec, "something else")
        return _fitting(self.url, name, inputs, outputs)

    def close(self) -> None:
        """See `Connection`."""
        self._channel.close()

    def _ask(self, method: Any, request: Any) -> Any:
        try:
            return method(request, timeout=_TIMEOUT)
        except grpc.RpcError as error:
            status: Any = error
            raise Refusal(
                f"{self.url}: refuses: {status.code().name}: {_sentence(status.details() or '')}"
            ) from None


def _fitting(url: str, name: str, inputs: Arrays, outputs: Arrays) -> Arrays:
    """Outputs that have the dtypes, ranks and batch size of their signature."""
    batch = len(next(iter(inputs.values())))
    for key, spec in COLORED_SIGNATURES[name].outputs.items():
        array = outputs[key]
        shape = [batch, *spec.shape.as_list()[1:]]
        strings = spec.dtype == tf.string
        is_right = array.dtype == (object if strings else spec.dtype.as_numpy_dtype)
        if strings and is_right:
            is_right = all(isinstance(value, bytes) for value in array.flat)
        if not is_right or not tf.TensorShape(shape).is_compatible_with(array.shape):
            _misfit(url, name, key, spec, f"{array.dtype} {array.shape}")
    return outputs


def _misfit(url: str, name: str, key: str, spec: tf.TensorSpec, answer: str) -> NoReturn:
    raise Failure(
        f"{url}: signature {name} answered with {answer}; expected {key}, {text(spec)}"
    ) from None


def _sentence(reason: str) -> str:
    """What a server's error text says, without the places in graph and source that it names."""
    checked = re.search(r"assertion failed: \[([^\]]*)\]", reason)  # of `deployment.checks`
    if checked:
        return checked.group(1)
    lines = [line for line in reason.splitlines() if not _FRAME.match(line)]
    return re.sub(r"\s*(\[\[.*|\{\{[^}]*\}\})", "", (lines or [""])[0]).strip()


def predict_request(name: str, signature: str, inputs: Arrays) -> predict_pb2.PredictRequest:
    """A request as gRPC takes it.

    Args:
        name: of the model.
        signature: which is called.
        inputs: arrays with the names, dtypes and shapes of `COLORED_SIGNATURES`; bytes as objects.
    """
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = name, signature
    specs = COLORED_SIGNATURES[signature].inputs
    for key, value in inputs.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value, specs[key].dtype))
    return request
