import dataclasses
import struct

import av
import numpy as np
import pytest

from sflowgan_tf.data.media.videos import VideoFile
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.utils.errors import UserError

TABLE = TABLES["synthia"]
IDS = np.kron(np.arange(16).reshape(2, 8), np.ones((9, 8))).astype(
    np.uint8
)  # every raw id; 18 x 64
INDICES = TABLE.encode(IDS)


def video(file, arrays, *, codec="ffv1", pixels="gray", layout="gray", **options):
    """A video of arrays, which PyAV knows as `given`."""
    with av.open(str(file), "w") as container:
        stream = container.add_stream(codec, rate=10, options=options)
        stream.height, stream.width = arrays[0].shape[:2]
        stream.pix_fmt = pixels
        for array in arrays:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(array, format=layout)))
        container.mux(stream.encode())
    return VideoFile(file)


def moved(count):
    """Label maps of which no two are the same: raw ids, and the indices that they mean."""
    return [np.roll(IDS, n, axis=1) for n in range(count)], [
        np.roll(INDICES, n, axis=1) for n in range(count)
    ]


def turned(file, matrix):
    """Has an MP4 file say that its frames are shown under another 3x3 matrix, (a, b, c, d)."""
    a, b, c, d = matrix

    def written(a, b, c, d):  # fixed point, 16.16 and 2.30
        return struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)

    content = file.read_bytes()
    assert content.count(written(1, 0, 0, 1)) == 2  # of the film and of its track
    head, track = content.split(b"tkhd")
    file.write_bytes(head + b"tkhd" + track.replace(written(1, 0, 0, 1), written(a, b, c, d)))


@pytest.mark.parametrize(
    ("matrix", "turns"),  # x' = a x + c y, y' = b x + d y; quarter turns against the clock
    [((0, 1, -1, 0), -1), ((-1, 0, 0, -1), 2), ((0, -1, 1, 0), 1)],
)
def test_frames_are_turned_as_the_file_says(tmp_path, matrix, turns):
    frame = np.zeros((32, 64, 3), np.uint8)
    frame[:16, :32] = 255
    source = video(tmp_path / "f.mp4", [frame], codec="libx264", pixels="yuv444p", layout="rgb24")
    turned(source.place, matrix)
    (read,) = source.images(0)
    expected = np.rot90(frame, turns)
    assert read.shape == expected.shape
    assert np.abs(read.astype(int) - expected).mean() < 4  # levels, of the compression


def assert_holds(source, expected, start=0):
    read = list(source.labels(TABLE, start))
    np.testing.assert_array_equal(read, expected[start:])


@pytest.mark.parametrize(
    "how",
    [
        {"file": "l.mkv"},
        {"file": "l.avi", "codec": "rawvideo"},
    ],
)
def test_grey_levels_are_ids(tmp_path, how):
    raw, expected = moved(5)
    source = video(tmp_path / how.pop("file"), raw, **how)
    assert_holds(source, expected)
    assert_holds(source, expected, start=3)


def test_sixteen_bits_hold_ids_too(tmp_path):
    raw, expected = moved(2)
    wide = [array.astype(np.uint16) for array in raw]
    assert_holds(video(tmp_path / "l.mkv", wide, pixels="gray16le", layout="gray16le"), expected)


@pytest.mark.parametrize(
    "how",
    [
        {"file": "l.mkv", "pixels": "bgr0"},
        {"file": "l.mkv", "codec": "libx264rgb", "pixels": "rgb24", "qp": "0"},
        {"file": "l.mov", "codec": "qtrle", "pixels": "rgb24"},
    ],
)
def test_the_tables_colours_are_its_classes_and_black_is_void(tmp_path, how):
    _, expected = moved(3)
    colors = [TABLE.colorize(indices) for indices in expected]
    assert_holds(video(tmp_path / how.pop("file"), colors, layout="rgb24", **how), expected)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"codec": "mpeg4", "pixels": "yuv420p"}, "l.mkv: mpeg4 changes class ids"),
        # not every build of x264 tells a frame's losses; its pixels are refused then
        ({"codec": "libx264", "crf": "20"}, "frame 0: (it is coded with losses|its pixels are)"),
        ({"codec": "libx264", "pixels": "yuv420p", "qp": "0"}, "its pixels are yuv420p"),
        ({"codec": "libx264", "qp": "0"}, "its pixels are yuv420p"),
        ({"pixels": "yuv444p"}, "its pixels are yuv444p"),
    ],
)
def test_what_cannot_hold_exact_ids_is_refused_with_a_way_to_make_it(tmp_path, how, said):
    source = video(tmp_path / "l.mkv", moved(2)[0], **how)
    with pytest.raises(UserError, match=f"{said}.*ffmpeg -framerate 25 .*ffv1"):
        list(source.labels(TABLE, 0))


def test_an_unknown_id_is_named_with_its_frame(tmp_path):
    raw, _ = moved(4)
    raw[2][0, :5] = 99
    source = video(tmp_path / "l.mkv", raw)
    for start in (0, 1):
        with pytest.raises(UserError, match=r"l\.mkv, frame 2: class id 99 at 5 pixels"):
            list(source.labels(TABLE, start))


@pytest.mark.parametrize("color", [(1, 2, 3), (255, 255, 255)])
def test_an_unknown_colour_is_named_with_its_frame(tmp_path, color):
    pictures = [TABLE.colorize(indices) for indices in moved(2)[1]]
    pictures[1][4, :3] = color
    source = video(tmp_path / "l.mkv", pictures, pixels="bgr0", layout="rgb24")
    colour = ", ".join(map(str, color))
    with pytest.raises(UserError, match=rf"frame 1: colour \({colour}\) at 0.26 % of the pixels"):
        list(source.labels(TABLE, 0))


def test_grey_levels_are_no_colours(tmp_path):
    source = video(tmp_path / "ids.mkv", [IDS])
    table = dataclasses.replace(TABLE, coding="colors")
    with pytest.raises(UserError, match="ids.mkv, frame 0: has no colours"):
        list(source.labels(table, 0))


def test_images_are_rgb(tmp_path):
    image = np.zeros((16, 32, 3), np.uint8)
    image[..., 0] = 200
    source = video(tmp_path / "f.mkv", [image] * 3, pixels="bgr0", layout="rgb24")
    images = list(source.images(1))
    assert len(images) == 2
    np.testing.assert_array_equal(images[0], image)
    assert (source.fps, source.files, source.name(7)) == (10, [tmp_path / "f.mkv"], "000007")


def test_a_file_that_is_no_video_is_named(tmp_path):
    (tmp_path / "f.mp4").write_text("not a film")
    with pytest.raises(UserError, match=r"f\.mp4: can't be opened as a video"):
        list(VideoFile(tmp_path / "f.mp4").images(0))


def test_a_file_without_pictures_is_named(tmp_path):
    with av.open(str(tmp_path / "sound.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
    with pytest.raises(UserError, match=r"sound\.wav: no video stream"):
        list(VideoFile(tmp_path / "sound.wav").images(0))


def test_damage_is_an_error_that_says_where(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (6, 64, 64), dtype=np.uint8)
    file = tmp_path / "f.mp4"
    video(file, list(noise), codec="libx264", qp="0")
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"f\.mp4, frame [1-4] or soon after: can't be decoded"):
        list(VideoFile(file).images(0))
