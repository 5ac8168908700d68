"""Both protocols against a front as TensorFlow Serving's, with many clients at once."""

import base64
import gc
import json
import os
import re
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import any_pb2
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, model_pb2, predict_pb2

from sflowgan_tf.ops.ensemble import ensemble_weights
from sflowgan_tf.translation import server
from sflowgan_tf.translation.artefact import png
from sflowgan_tf.translation.signatures import misfits
from sflowgan_tf.utils.errors import Failure, UserError
from tests import places
from tests.front import scene, serving

PROTOCOLS = ["rest", "grpc"]
DRAWN = ensemble_weights(2, seed=0)[1]


@pytest.fixture(params=PROTOCOLS)
def url(request, served):
    return served[0][request.param]


@pytest.fixture
def connect():
    """`server.connect`, whose connections are closed at the end of the test."""
    with ExitStack() as stack:

        def connected(url):
            connection = server.connect(url)
            stack.callback(connection.close)
            return connection

        yield connected


@pytest.fixture
def odd(served):
    """Where a test puts odd answers."""
    yield served[1].odd
    served[1].odd.clear()


def test_signatures_come_from_the_server(url, connect):
    assert misfits(connect(url).signatures()) == []


@pytest.mark.parametrize("weights", [DRAWN, None], ids=["drawn", "equal"])
@pytest.mark.parametrize("edges", ["dned", "laplacian"])
def test_a_server_paints_what_the_model_paints(url, exportable, weights, edges):
    labels, image = scene(50, 34, seed=4)
    if edges == "laplacian":
        weights = None
    with server.model(url) as model:
        painted = model.translate(labels, image, weights, edges=edges)
    equal = ensemble_weights(1, 0)[0] if weights is None else weights
    used = None if edges == "laplacian" else equal
    expected = exportable.translator.translate(labels, image, used)
    assert np.abs(painted - expected.astype(int)).max() <= 1


@pytest.mark.parametrize("edges", ["dned", "laplacian"])
def test_a_server_paints_in_the_colors_that_are_asked_for(
    colored_exported, colored_exportable, edges
):
    labels, image = scene(50, 34, seed=4)
    weights = None if edges == "laplacian" else DRAWN
    with serving(colored_exported) as (urls, counter):
        for protocol in PROTOCOLS:
            with server.model(urls[protocol]) as model:
                other = model.palette.drawn(3)
                for recoloring in (None, other):
                    painted = model.translate(
                        labels, image, weights, edges=edges, appearance=recoloring
                    )
                    expected = colored_exportable.translator.translate(
                        labels, image, weights, recoloring
                    )
                    assert np.abs(painted - expected.astype(int)).max() <= 1
                nowhere = replace(other, shift=np.full((13, 3), 0, np.float32))
                with pytest.raises(Failure, match="color_shift: expected three numbers for each"):
                    model.engine.translate(labels, image, DRAWN, nowhere)
    asked = [name for name in counter.asked if name != "card"]
    painting = ["edges"] * 2 if edges == "laplacian" else ["encoded_weighted", "encoded_appearance"]
    assert asked == 2 * [*painting, "encoded_appearance"]


def test_a_picture_larger_than_grpcs_limit_passes_as_png(served, connect):
    labels, image = np.full((1000, 1200), 3, np.uint8), np.full((1000, 1200, 3), 90, np.uint8)
    edges = np.zeros((1, 1000, 1200, 1), np.float32)
    assert edges.nbytes > 4 << 20, "the server's limit"
    client = connect(served[0]["grpc"])
    files = {"labels_bytes": png(labels), "image_bytes": png(image)}
    assert client.predict("encoded", files)["image_bytes"][0].startswith(b"\x89PNG")
    with pytest.raises(Failure, match="RESOURCE_EXHAUSTED"):
        client.predict("edges", {"labels": labels[None], "edges": edges})


WRONG = {
    "an id": "labels: class id 77 is outside the table",
    "a size": "labels and image differ in number, height or width",
    "a file": "image_bytes: expected PNG or JPEG files",
    "weights": "ensemble_weights: expected numbers from 0 on",
}


def request_of(kind, seed):
    """A signature and its inputs, wrong in one way or right (None)."""
    labels, image = scene(24, 16, seed=seed)
    weights = DRAWN[None]
    if kind == "an id":
        labels = np.where(labels == 255, labels, np.uint8(77))
    if kind == "a size":
        image = image[1:]
    if kind == "weights":
        weights = -weights
    files = {"labels_bytes": png(labels), "image_bytes": png(image)}
    if kind == "a file":
        files["image_bytes"] = np.array([b"not a picture"], object)
    return "encoded_weighted", files | {"ensemble_weights": weights}


def resident():
    """Megabytes of this process, clients and server."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def test_eight_clients_at_once_right_and_wrong_over_500_requests(served, exportable, connect):
    urls, counter = served
    clients = [connect(urls[protocol]) for protocol in PROTOCOLS * 4]
    expected = [
        exportable.translator.translate(*scene(24, 16, seed=seed), DRAWN).astype(int)
        for seed in range(5)
    ]
    kinds = [*WRONG, *[None] * 6]

    def ask(number):
        kind, seed = kinds[number % len(kinds)], number % 5
        try:
            answer = clients[number % 8].predict(*request_of(kind, seed))
        except Failure as error:
            return kind is not None and WRONG[kind] in str(error)
        picture = cv2.imdecode(np.frombuffer(answer["image_bytes"][0], np.uint8), 1)
        return kind is None and np.abs(picture[..., ::-1] - expected[seed]).max() <= 1

    counter.asked.clear()
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(150))), "warming up"
        before = resident()
        assert all(pool.map(ask, range(500)))
    assert counter.asked == ["encoded_weighted"] * 650
    assert resident() - before < 30


def test_rest_as_the_documentation_shows_it(served, exportable):
    url = served[0]["rest"]
    labels, image = scene(8, 6)
    rows = [{"labels": labels.tolist(), "image": image.tolist()}] * 2
    body = json.dumps({"instances": rows}).encode()
    with urllib.request.urlopen(f"{url}:predict", body) as answer:
        predictions = json.load(answer)["predictions"]
    expected = exportable.translator.translate(labels, image, ensemble_weights(1, 0)[0])
    assert np.abs(np.array(predictions) - expected).max() <= 1
    with urllib.request.urlopen(url) as answer:
        assert json.load(answer)["model_version_status"][0]["state"] == "AVAILABLE"


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8500",
        "ftp://localhost/v1/models/city",
        "http://localhost:8501/city",
        "http:///v1/models/city",
        "http://[::1/v1/models/city",
        "grpc://localhost:8500",
        "grpc://localhost:8500/city/latest",
        "grpc://localhost:8500/city/1/2",
    ],
)
def test_another_url_is_refused(url):
    with pytest.raises(UserError, match=r"expected http://HOST:8501/v1/models/NAME or grpc://"):
        server.connect(url)


def test_a_version_may_follow(served, exported, connect):
    """The tests' server has versions in no path: the request says which one."""
    assert connect("grpc://localhost:8500/city/12").model.version.value == 12
    assert not connect("grpc://localhost:8500/city").model.HasField("version")
    url = "http://localhost:8501/v1/models/city/versions/12"
    assert connect(f"{url}/").url == url


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1/models/city", "grpc://127.0.0.1:9/city"])
def test_a_server_that_is_not_there(url):
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9.*is it TensorFlow Serving"):
        server.model(url)


def test_rest_at_the_port_of_grpc(served):
    address = served[0]["grpc"].removeprefix("grpc://").partition("/")[0]
    with pytest.raises(UserError, match="does not answer"):
        server.model(f"http://{address}/v1/models/city")


def test_a_model_that_is_not_there(url):
    with pytest.raises(UserError, match=r"Servable not found.*does it serve that model"):
        server.model(url.replace("city", "town"))


@pytest.mark.parametrize("variable", ["http_proxy", "grpc_proxy", "https_proxy", "all_proxy"])
def test_a_server_on_this_machine_is_asked_without_a_proxy(url, monkeypatch, variable):
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    with server.model(url) as model:
        assert model.size == (32, 16)


def test_another_server_is_asked_through_the_proxy(served, monkeypatch):
    monkeypatch.delenv("no_proxy", raising=False)
    proxy = served[0]["rest"].partition("/v1")[0]
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(UserError, match=r"http://example\.invalid.*refuses"):
        server.model("http://example.invalid:8501/v1/models/town")


SIGNATURE = {"inputs": {"x": {"dtype": 99, "tensor_shape": {"dim": [{"size": "-7"}]}}}}
ODD_METADATA = {
    "HTML": b"<html><body>It works!</body></html>",
    "nothing": b"",
    "half of JSON": b'{"metadata": {',
    "no UTF-8": b"\xff\xfe",
    "a list": b"[]",
    "a number": b"7",
    "deep": b"[" * 100_000,
    "no metadata": b"{}",
    "null": b'{"metadata": null}',
    "no signatures": b'{"metadata": {}}',
    "signatures of another shape": b'{"metadata": {"signature_def": {"signature_def": 1}}}',
    "signatures that are a list": b'{"metadata": {"signature_def": [1]}}',
}


@pytest.mark.parametrize("answer", ODD_METADATA.values(), ids=ODD_METADATA)
def test_odd_metadata_over_rest_are_a_sentence(served, odd, answer):
    odd["metadata"] = answer
    url = served[0]["rest"]
    with pytest.raises(Failure, match=f"^{url}: answers with .*TensorFlow Serving") as caught:
        server.model(url)
    assert_sentence(caught.value)


def test_odd_metadata_over_grpc_are_a_sentence(served, odd):
    url, answer = served[0]["grpc"], get_model_metadata_pb2.GetModelMetadataResponse()
    other = model_pb2.ModelSpec(name="something else")
    damaged = any_pb2.Any(type_url="type.googleapis.com/tensorflow.serving.SignatureDefMap")
    damaged.value = b"\xff\xff"
    for content in (None, other, damaged):
        if content is damaged:
            answer.metadata["signature_def"].CopyFrom(damaged)
        elif content is not None:
            answer.metadata["signature_def"].Pack(content)
        odd["metadata"] = answer
        with pytest.raises(Failure, match=f"^{url}: answers with other metadata") as caught:
            server.model(url)
        assert_sentence(caught.value)


def test_signatures_of_no_dtype_do_not_fit(served, odd):
    definitions = {"signature_def": {"serving_default": SIGNATURE}}
    odd["metadata"] = json.dumps({"metadata": {"signature_def": definitions}}).encode()
    with pytest.raises(UserError, match="is no model that export wrote: .*that is no tensor"):
        server.model(served[0]["rest"])


def outputs(value):
    return json.dumps({"outputs": value}).encode()


def b64(content):
    return {"b64": base64.b64encode(content).decode()}


def encoded(width, height):
    return png(np.zeros((height, width, 3), np.uint8))[0]


ODD_FILES = {
    "HTML": b"<html></html>",
    "no outputs": b'{"predictions": [1]}',
    "a list": b"[1]",
    "an object": outputs({"b64": "AAAA"}),
    "null": outputs(None),
    "none": outputs([]),
    "two": outputs([b64(encoded(32, 16))] * 2),
    "numbers": outputs([1]),
    "an object of another key": outputs([{"png": "AAAA"}]),
    "a number in the place of base64": outputs([{"b64": 3}]),
    "no base64": outputs([{"b64": "~~~"}]),
    "no PNG": outputs([b64(b"GIF89a")]),
    "an empty file": outputs([b64(b"")]),
    "half of a PNG": outputs([b64(encoded(32, 16)[:40])]),
    "a PNG of another size": outputs([b64(encoded(16, 32))]),
}
ODD_PIXELS = {
    "text": outputs("pixels"),
    "flat": outputs([1, 2, 3]),
    "ragged": outputs([[[[1, 2, 3]], [[1, 2]]]]),
    "floats": outputs(np.zeros((1, 16, 32, 3)).tolist()),
    "too large": outputs(np.full((1, 16, 32, 3), 256).tolist()),
    "negative": outputs(np.full((1, 16, 32, 3), -1).tolist()),
    "huge": outputs([[[[2**70] * 3]]]),
    "another size": outputs(np.zeros((1, 32, 16, 3), int).tolist()),
    "grey": outputs(np.zeros((1, 16, 32, 1), int).tolist()),
    "two": outputs(np.zeros((2, 16, 32, 3), int).tolist()),
}


@pytest.mark.parametrize("answer", ODD_FILES.values(), ids=ODD_FILES)
def test_an_odd_picture_over_rest_is_a_sentence(served, odd, answer):
    with server.model(served[0]["rest"]) as model:
        odd["encoded_weighted"] = answer
        with pytest.raises(Failure) as caught:
            model.translate(*scene())
    assert_sentence(caught.value, served[0]["rest"])


@pytest.mark.parametrize("answer", ODD_PIXELS.values(), ids=ODD_PIXELS)
def test_odd_pixels_over_rest_are_a_sentence(served, odd, answer):
    with server.model(served[0]["rest"]) as model:
        odd["edges"] = answer
        with pytest.raises(Failure) as caught:
            model.translate(*scene(), edges="laplacian")
    assert_sentence(caught.value, served[0]["rest"])


def tensors(**values):
    answer = predict_pb2.PredictResponse()
    for key, value in values.items():
        answer.outputs[key].CopyFrom(value)
    return answer


ZEROS = np.zeros((1, 16, 32, 3), np.uint8)
SHORT = tf.make_tensor_proto(ZEROS)
SHORT.tensor_content = b"123"
ODD_TENSORS = {
    "none": ("encoded_weighted", {}),
    "another name": ("encoded_weighted", {"picture": tf.make_tensor_proto([b""])}),
    "no dtype": ("encoded_weighted", {"image_bytes": tensor_pb2.TensorProto()}),
    "numbers": ("encoded_weighted", {"image_bytes": tf.make_tensor_proto([1])}),
    "no PNG": ("encoded_weighted", {"image_bytes": tf.make_tensor_proto([b"GIF89a"])}),
    "too little": ("edges", {"image": SHORT}),
    "floats": ("edges", {"image": tf.make_tensor_proto(ZEROS.astype(np.float32))}),
    "another size": ("edges", {"image": tf.make_tensor_proto(ZEROS[:, :8])}),
    "another rank": ("edges", {"image": tf.make_tensor_proto(ZEROS[0])}),
}


@pytest.mark.parametrize(("signature", "answer"), ODD_TENSORS.values(), ids=ODD_TENSORS)
def test_an_odd_answer_over_grpc_is_a_sentence(served, odd, signature, answer):
    with server.model(served[0]["grpc"]) as model:
        odd[signature] = tensors(**answer)
        with pytest.raises(Failure) as caught:
            model.translate(*scene(), edges="laplacian" if signature == "edges" else "dned")
    assert_sentence(caught.value, served[0]["grpc"])


@pytest.mark.parametrize("card", ["<html>", "{}", '{"version": 9}'])
def test_an_odd_card_is_a_sentence(served, odd, card):
    odd["card"] = outputs([card])
    with pytest.raises(UserError, match="model card.*; export the model anew") as caught:
        server.model(served[0]["rest"])
    assert_sentence(caught.value, served[0]["rest"])


REASONS = {
    "{{function_node __inference_1}} assertion failed: [labels: class id 77 is outside]\n\t [["
    "{{node Assert}}]]": "labels: class id 77 is outside",
    "Graph execution error:\n\nDetected at node Assert_5 defined at (most recent call last):\n"
    "<stack traces unavailable>\nOOM when allocating tensor\n\t [[{{node Conv}}]] [Op:x]": (
        "OOM when allocating tensor"
    ),
    "2 root error(s) found.\n  (0) INVALID_ARGUMENT: assertion failed: [edges: wrong] [[{{node}}]]"
    "\n  (1) INVALID_ARGUMENT: assertion failed: [edges: wrong]": "edges: wrong",
}


@pytest.mark.parametrize(("reason", "sentence"), REASONS.items())
def test_what_tensorflow_adds_to_a_refusal_is_left_out(url, served, reason, sentence):
    with server.model(url) as model:
        served[1].refusal = reason
        try:
            with pytest.raises(Failure) as caught:
                model.translate(*scene())
        finally:
            served[1].refusal = None
    assert re.fullmatch(
        f"{url}: refuses: (INVALID_ARGUMENT: )?{re.escape(sentence)}", str(caught.value)
    )


def assert_sentence(error, url=""):
    text = str(error)
    assert text.startswith(url) and len(text.splitlines()) == 1
    assert not re.search(r"Error\(|Traceback|\{\{|\[\[|b'", text), text


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_server_that_goes_away_is_a_failure(exported, protocol):
    with serving(exported) as (urls, _):
        model = server.model(urls[protocol])
    with model, pytest.raises(Failure, match="does not answer|UNAVAILABLE"):
        model.translate(*scene())


def test_nothing_stays_open(exported):
    """Connections of a model that was closed, or refused, are closed."""
    with serving(exported) as (urls, counter):
        for url in urls.values():
            with server.model(url) as model:
                model.translate(*scene())
            counter.odd["metadata"] = (
                b"" if "http" in url else get_model_metadata_pb2.GetModelMetadataResponse()
            )
            with pytest.raises(Failure):
                server.model(url)
            counter.odd.clear()
        ports = {int(url.split("/")[2].rpartition(":")[2]) for url in urls.values()}
        gc.collect()
        assert not connections_to(ports)


def connections_to(ports):
    """Established connections of this machine whose remote port is one of these."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    remote = [int(row[2].rpartition(":")[2], 16) for row in rows if row[3] == "01"]
    return [port for port in remote if port in ports]


def documented(kind):
    """The block of that kind in the manual's section on serving."""
    section = (places.ROOT / "docs/deployment.md").read_text().partition("## Serve\n")[2]
    return section.partition(f"```{kind}\n")[2].partition("```")[0]


@pytest.mark.parametrize(("kind", "protocol"), [("sh", "rest"), ("python", "grpc")])
def test_the_requests_of_the_manual(served, exportable, tmp_path, kind, protocol):
    labels, image = scene()
    cv2.imwrite(str(tmp_path / "labels.png"), labels)
    cv2.imwrite(str(tmp_path / "frame.png"), image[..., ::-1])
    address = served[0][protocol].split("/")[2]
    port = {"rest": "8501", "grpc": "8500"}[protocol]
    block = documented(kind).replace(f"localhost:{port}", address).replace("first", "city")
    assert address in block
    program = {"sh": "bash", "python": sys.executable}[kind]
    done = subprocess.run(
        [program, "-c", block],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    painted = cv2.imread(str(tmp_path / "painted.png"))
    expected = exportable.translator.translate(labels, image, ensemble_weights(1, 0)[0])
    assert np.abs(painted[..., ::-1] - expected.astype(int)).max() <= 1
