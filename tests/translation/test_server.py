"""Both protocols against a front as TensorFlow Serving's, with many clients at once."""

import json
import os
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from sflowgan_tf.ops.ensemble import ensemble_weights
from sflowgan_tf.translation import server
from sflowgan_tf.translation.artefact import Artefact, png
from sflowgan_tf.translation.signatures import misfits
from sflowgan_tf.utils.errors import Failure, UserError
from tests import places
from tests.front import scene, serving

PROTOCOLS = ["rest", "grpc"]
DRAWN = ensemble_weights(2, seed=0)[1]


@pytest.fixture(params=PROTOCOLS)
def url(request, served):
    return served[0][request.param]


def test_signatures_come_over_the_wire(url):
    assert misfits(server.connect(url).signatures()) == []


@pytest.mark.parametrize("weights", [DRAWN, None], ids=["drawn", "laplacian"])
def test_a_server_paints_what_the_model_paints(url, exportable, weights):
    labels, image = scene(50, 34, seed=4)
    painted = Artefact(server.connect(url).predict, encoded=True).translate(labels, image, weights)
    expected = exportable.translator.translate(labels, image, weights)
    assert np.abs(painted - expected.astype(int)).max() <= 1


def test_a_picture_larger_than_grpcs_limit_passes_as_png(served):
    labels, image = np.full((1000, 1200), 3, np.uint8), np.full((1000, 1200, 3), 90, np.uint8)
    edges = np.zeros((1, 1000, 1200, 1), np.float32)
    assert edges.nbytes > 4 << 20, "the server's limit"
    client = server.connect(served[0]["grpc"])
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


def test_eight_clients_at_once_right_and_wrong_over_500_requests(served, exportable):
    urls, counter = served
    clients = [server.connect(urls[protocol]) for protocol in PROTOCOLS * 4]
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


def test_a_version_may_follow():
    assert server.connect("grpc://localhost:8500/city/12").model.version.value == 12
    assert not server.connect("grpc://localhost:8500/city").model.HasField("version")
    url = "http://localhost:8501/v1/models/city/versions/12"
    assert server.connect(f"{url}/").url == url


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1/models/city", "grpc://127.0.0.1:9/city"])
def test_a_server_that_is_not_there(url):
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9.*is it TensorFlow Serving"):
        server.connect(url).signatures()


def test_rest_at_the_port_of_grpc(served):
    address = served[0]["grpc"].removeprefix("grpc://").partition("/")[0]
    with pytest.raises(UserError, match="does not answer"):
        server.connect(f"http://{address}/v1/models/city").signatures()


def test_a_model_that_is_not_there(url):
    with pytest.raises(UserError, match=r"Servable not found.*does it serve that model"):
        server.connect(url.replace("city", "town")).signatures()


def test_a_server_of_something_else_is_said(served, monkeypatch):
    client = server.connect(served[0]["rest"])
    for answer in ({}, {"metadata": {"signature_def": {"signature_def": 1}}}):
        monkeypatch.setattr(client, "_ask", lambda *_, answer=answer: answer)
        with pytest.raises(UserError, match="no answer of TensorFlow Serving"):
            client.signatures()


def test_a_server_that_goes_away_is_a_failure(exported):
    with serving(exported) as (urls, _):
        clients = [server.connect(urls[protocol]) for protocol in PROTOCOLS]
    for client in clients:
        with pytest.raises(Failure, match="does not answer|UNAVAILABLE"):
            client.predict(*request_of(None, 0))


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
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    painted = cv2.imread(str(tmp_path / "painted.png"))
    expected = exportable.translator.translate(labels, image, ensemble_weights(1, 0)[0])
    assert np.abs(painted[..., ::-1] - expected.astype(int)).max() <= 1
