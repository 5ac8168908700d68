import resource
import signal
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from sflowgan_tf.data.media import mp4
from sflowgan_tf.utils.errors import Failure

FPS = Fraction(30000, 1001)


def greys(count, size=(32, 48)):
    """Frames whose grey tells their number."""
    return [np.full((*size, 3), 20 + 10 * number, np.uint8) for number in range(count)]


def encode(file, frames):
    with mp4.encoded(file, FPS) as encoder:
        for frame in frames:
            encoder.add(frame)
        assert not file.exists()
    return file


def decode(file):
    with av.open(str(file)) as container:
        return [(f.pts * f.time_base, f.to_ndarray(format="rgb24")) for f in container.decode()]


@pytest.fixture
def film(tmp_path):
    """Three pieces of 4, 3 and 1 frames, joined."""
    frames = greys(8)
    parts = {"a": frames[:4], "b": frames[4:7], "c": frames[7:]}
    pieces = [encode(tmp_path / f"{name}.mp4", part) for name, part in parts.items()]
    mp4.join(pieces, tmp_path / "film.mp4", {"run": "r", "ensemble_weights": "1 0"}, FPS)
    return tmp_path / "film.mp4"


def test_the_frames_of_all_pieces_come_in_order_and_in_time(film):
    decoded = decode(film)
    assert [time for time, _ in decoded] == [number / FPS for number in range(8)]
    for (_, decoded_image), frame in zip(decoded, greys(8), strict=True):
        assert np.abs(decoded_image.astype(int) - frame).max() <= 2


def test_a_film_is_what_browsers_expect(film):
    with av.open(str(film)) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.pix_fmt, codec.width, codec.height) == ("h264", "yuv420p", 48, 32)
        assert (codec.color_range, codec.colorspace) == (1, 1)  # MPEG's, BT.709
        assert container.streams.video[0].average_rate == FPS
        assert container.streams.video[0].frames == 8
    content = film.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat"), "the index is not in front"


def test_a_film_carries_texts(film):
    with av.open(str(film)) as container:
        assert container.metadata["run"] == "r"
        assert container.metadata["ensemble_weights"] == "1 0"


def test_the_same_frames_give_the_same_bytes(film, tmp_path):
    encode(tmp_path / "again.mp4", greys(4))
    assert (tmp_path / "again.mp4").read_bytes() == (tmp_path / "a.mp4").read_bytes()


def test_colours_survive_within_what_yuv_can_hold(tmp_path):
    colors = np.array([(200, 40, 40), (40, 200, 40), (40, 40, 200), (255, 255, 255)], np.uint8)
    image = np.kron(colors[None, :, None, :], np.ones((16, 1, 16, 1), np.uint8)).reshape(16, 64, 3)
    ((_, decoded_image),) = decode(encode(tmp_path / "a.mp4", [image]))
    assert np.abs(decoded_image[:, 8::16].astype(int) - image[:, 8::16]).max() <= 4


def test_odd_sizes_grow_by_a_repeated_edge(tmp_path):
    image = np.zeros((31, 47, 3), np.uint8)
    image[:, 40:] = 200
    ((_, decoded_image),) = decode(encode(tmp_path / "a.mp4", [image]))
    assert decoded_image.shape == (32, 48, 3)
    assert decoded_image[:, 45:].min() > 190


def test_an_error_between_frames_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), mp4.encoded(tmp_path / "a.mp4", FPS) as encoder:
        encoder.add(greys(1)[0])
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_a_failure(tmp_path):
    with pytest.raises(Failure, match=r"a\.mp4: can't be written"):
        encode(tmp_path / "nowhere/a.mp4", greys(1))


WRITE = """
import sys
import numpy as np
from fractions import Fraction
from pathlib import Path
from sflowgan_tf.data.media import mp4
from sflowgan_tf.utils.errors import Failure

folder, noise = Path(sys.argv[1]), np.random.default_rng(0)
try:
    if sys.argv[2] == "encode":
        with mp4.encoded(folder / "film.mp4", Fraction(25)) as encoder:
            for _ in range(20):
                encoder.add(noise.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    else:
        mp4.join([folder / "piece.mp4"] * 4, folder / "film.mp4", {}, Fraction(25))
except Failure as failure:
    sys.exit(str(failure))
"""


@pytest.mark.parametrize("work", ["encode", "join"])
def test_a_full_disk_is_a_failure_and_leaves_nothing(tmp_path, work):
    """A limit on a file's size stands for the disk: writing behind it fails in the same way."""
    noise = np.random.default_rng(0)
    encode(tmp_path / "piece.mp4", list(noise.integers(0, 256, (9, 64, 64, 3), dtype=np.uint8)))
    limit = (tmp_path / "piece.mp4").stat().st_size

    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    child = subprocess.run(
        [sys.executable, "-c", WRITE, str(tmp_path), work],
        capture_output=True,
        text=True,
        preexec_fn=limited,
    )
    assert child.returncode == 1
    assert "film.mp4: can't be written: File too large; raise the limit" in child.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["piece.mp4"]


@pytest.mark.parametrize("damaged", [0, 1])
def test_a_damaged_piece_is_named_and_goes_so_that_it_is_made_anew(tmp_path, damaged):
    pieces = [encode(tmp_path / f"{n}.mp4", greys(3)) for n in range(2)]
    pieces[damaged].write_bytes(pieces[damaged].read_bytes()[:60])
    with pytest.raises(Failure, match=rf"{damaged}\.mp4: is damaged .* and was deleted"):
        mp4.join(pieces, tmp_path / "film.mp4", {}, FPS)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{1 - damaged}.mp4"]
