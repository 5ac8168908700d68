"""A real browser plays what `mp4` writes."""

import contextlib
import json
import shutil
import subprocess
import threading
import time
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue

import numpy as np
import pytest

from sflowgan_tf.data.media import mp4

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
COLORS = {0: (200, 40, 40), 1: (40, 200, 40), 2: (40, 40, 200)}  # of each second
PAGE = b"""<!doctype html><canvas id="c"></canvas><script>
const film = document.createElement("video");
const canvas = document.getElementById("c").getContext("2d");
const say = facts => fetch("/said", {method: "POST", body: JSON.stringify(facts)});
const at = time => new Promise(done => { film.onseeked = done; film.currentTime = time; });
film.muted = true;
film.onerror = () => say({error: film.error.code});
film.onloadeddata = async () => {
  const colors = [];
  for (const second of [2, 0, 1]) {
    await at(second + 0.55);
    canvas.drawImage(film, 0, 0);
    colors.push([second, ...canvas.getImageData(20, 20, 1, 1).data.slice(0, 3)]);
  }
  say({width: film.videoWidth, height: film.videoHeight, duration: film.duration, colors});
};
fetch("/film").then(got => got.blob()).then(blob => { film.src = URL.createObjectURL(blob); });
</script>"""

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome installed")


@contextlib.contextmanager
def served(film):
    """(address, queue of what the page says)."""
    said = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body, kind = (film, "video/mp4") if self.path == "/film" else (PAGE, "text/html")
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            said.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", said
        finally:
            server.shutdown()
            thread.join()


def shown(film, folder):
    """What the browser says of a film."""
    with served(film) as (address, said):
        browser = subprocess.Popen(
            [
                BROWSER,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                f"--user-data-dir={folder / 'profile'}",
                address,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while said.empty():
                assert browser.poll() is None, "the browser ended without a word"
                time.sleep(0.01)
            return said.get()
        finally:
            browser.terminate()
            browser.wait()


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Three seconds of a colour each, of two pieces."""
    folder = tmp_path_factory.mktemp("film")
    pieces, fps = [folder / "0.mp4", folder / "1.mp4"], Fraction(10)
    frames = [np.full((48, 64, 3), COLORS[n // 10], np.uint8) for n in range(30)]
    for piece, part in zip(pieces, (frames[:17], frames[17:]), strict=True):
        with mp4.encoded(piece, fps) as encoder:
            for frame in part:
                encoder.add(frame)
    mp4.join(pieces, folder / "film.mp4", {"run": "r"}, fps)
    return (folder / "film.mp4").read_bytes()


def test_the_browser_shows_the_colours_of_every_second(film, tmp_path):
    said = shown(film, tmp_path)
    assert (said["width"], said["height"], said["duration"]) == (64, 48, 3)
    for second, *color in said["colors"]:
        assert np.abs(np.subtract(color, COLORS[second])).max() <= 12  # libyuv is coarse in blue


def test_a_broken_film_is_an_error_there(film, tmp_path):
    assert "error" in shown(film[:400] + film[800:], tmp_path)
