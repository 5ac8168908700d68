import av
import numpy as np
import pytest

from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.playing import films
from sflowgan_tf.playing.films import FRAME, LABELS, PAINTED, STEADIED, StreetReel, VideoReel
from sflowgan_tf.playing.recipe import Look
from sflowgan_tf.utils.errors import UserError
from tests.playing.test_easel import easel_of

TABLE = TABLES["synthia"]


@pytest.fixture(scope="module")
def easel():
    return easel_of()


def reel(length=3):
    return StreetReel(seed=2, length=length, size=(32, 16), classes=TABLE)


def test_a_film_has_its_columns_and_says_how_far_it_is(easel, tmp_path):
    file = tmp_path / "film.mp4"
    columns = [FRAME, LABELS, PAINTED, STEADIED]
    steps = [*films.make(easel, reel(), Look(), columns, 0.9, file)]
    assert [step for step in steps if step[0] == "painting"] == [
        ("painting", number, 3) for number in (1, 2, 3)
    ]
    with av.open(str(file)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        texts = container.metadata
    assert [frame.shape for frame in frames] == [(16, 4 * 32, 3)] * 3
    first = next(iter(reel().frames()))
    assert np.abs(frames[0][:, :32].astype(int) - first.frame).mean() < 12  # H.264 halves colours
    assert (texts["run"], texts["history"]) == ("city", "0.9")
    assert {path.name for path in tmp_path.iterdir()} == {"film.mp4"}


def test_a_film_that_is_cancelled_leaves_nothing(easel, tmp_path):
    steps = films.make(easel, reel(), Look(), [PAINTED], 0.0, tmp_path / "film.mp4")
    assert next(step for step in steps if step[0] == "painting") == ("painting", 1, 3)
    steps.close()
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("length", "columns", "sentence"),
    [(0, [PAINTED], "expected 1 to"), (10_000, [PAINTED], "expected 1 to"), (2, [], "one column")],
)
def test_what_is_wrong_is_named(easel, tmp_path, length, columns, sentence):
    with pytest.raises(UserError, match=sentence):
        [*films.make(easel, reel(length), Look(), columns, 0.0, tmp_path / "film.mp4")]


def test_a_list_of_other_files_is_no_video(tmp_path):
    """FFmpeg would open them."""
    files = [tmp_path / "labels.mkv", tmp_path / "frames.mp4"]
    for file in files:
        file.write_text("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n")
    with pytest.raises(UserError, match=r"labels\.mkv: no MKV, MP4 or AVI"):
        VideoReel(*files, (32, 16), TABLE)


def test_videos_become_canvases(easel, tmp_path):
    files = [tmp_path / "labels.mkv", tmp_path / "frames.mkv"]
    for file, form in zip(files, ("gray", "bgr0"), strict=True):
        with av.open(str(file), "w") as container:
            stream = container.add_stream("ffv1", rate=5)
            stream.width, stream.height, stream.pix_fmt = 64, 32, form
            for number in range(2):
                level = 3 if form == "gray" else 100 * (number + 1)
                shape = (32, 64) if form == "gray" else (32, 64, 3)
                kind = "gray" if form == "gray" else "rgb24"
                frame = av.VideoFrame.from_ndarray(np.full(shape, level, np.uint8), format=kind)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    video = VideoReel(*files, (32, 16), TABLE)
    assert [*video.count()] == [1, 2] and video.fps == 5
    canvases = [*video.frames()]
    assert [canvas.frame[0, 0, 0] for canvas in canvases] == [100, 200]
    assert {*canvases[0].labels.flat} == {TABLE.names.index("road")}
    assert canvases[0].size == (32, 16)
