"""MP4 files that a browser plays: H.264, yuv420p, BT.709, the index in front."""

import platform
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from sflowgan_tf.utils.disk import writing
from sflowgan_tf.utils.errors import Failure
from sflowgan_tf.utils.files import visible, written_whole

# Without B-frames packets are in the order of the frames, so pieces join by renumbering them.
ENCODER = {"preset": "medium", "crf": "18", "bf": "0"}
if platform.machine() in ("x86_64", "AMD64"):
    # x264's AVX-512 code gives other bits after TensorFlow's has run; TensorFlow itself needs AVX.
    ENCODER["x264-params"] = "asm=avx"


class Encoder:
    """Encodes the frames of one film, of the first one's size; `encoded` makes it.

    A thread of one worker encodes a frame while the caller makes the next one.
    """

    def __init__(self, container: OutputContainer, fps: Fraction, thread: Executor):
        self.container, self.thread, self.frames = container, thread, 0
        self.stream = container.add_stream("libx264", rate=fps, options=ENCODER)
        self.stream.codec_context.thread_count = 1  # the bits don't depend on the number of cores
        self.before: Future[None] | None = None

    def add(self, image: np.ndarray) -> None:
        """Adds a frame, (height, width, 3) uint8 RGB; returns before it is encoded.

        Since 4:2:0 has no odd sizes, the last row or column is repeated there.
        """
        height, width = image.shape[:2]
        even = np.pad(image, [(0, height % 2), (0, width % 2), (0, 0)], "edge")
        if self.before is None:
            codec = self.stream.codec_context
            codec.height, codec.width, codec.pix_fmt = *even.shape[:2], "yuv420p"
            codec.color_range, codec.colorspace = ColorRange.MPEG, Colorspace.ITU709
            codec.color_primaries, codec.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        else:
            self.before.result()
        self.before = self.thread.submit(self._encode, even, self.frames)
        self.frames += 1

    def _encode(self, image: np.ndarray, number: int) -> None:
        frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        frame.pts, frame.time_base = number, 1 / self.stream.codec_context.framerate
        self.container.mux(self.stream.encode(frame))

    def finish(self) -> None:
        """Writes the frames that the encoder still buffers."""
        if self.before is not None:
            self.before.result()
        self.thread.submit(lambda: self.container.mux(self.stream.encode())).result()


@contextmanager
def encoded(file: Path, fps: Fraction) -> Iterator[Encoder]:
    """An encoder of `fps` frames a second, whose file appears whole when the block ends well.

    Raises:
        Failure: it can't be written.
    """
    with (
        _written(file) as partial,
        av.open(f"file:{partial}", "w", format="mp4") as container,
        ThreadPoolExecutor(1) as thread,
    ):
        encoder = Encoder(container, fps, thread)
        yield encoder
        encoder.finish()


def join(pieces: list[Path], file: Path, texts: dict[str, str], fps: Fraction) -> None:
    """Joins films to one, which appears whole, without encoding anew.

    The pieces are files of `encoded` in order, of one size and with the same `fps`; `texts` are the
    values of the film's metadata by their keys.

    Raises:
        Failure: it can't be written; or a piece is damaged, which is deleted so that it is made
            anew.
    """
    options = {"movflags": "faststart+use_metadata_tags"}
    with (
        _written(file) as partial,
        av.open(f"file:{partial}", "w", format="mp4", options=options) as container,
    ):
        container.metadata.update(texts)
        with _piece(pieces[0]) as first:
            stream = container.add_stream_from_template(first.streams.video[0])
        for number, packet in enumerate(chain.from_iterable(map(_packets, pieces))):
            packet.stream, packet.time_base = stream, 1 / fps
            packet.pts = packet.dts = number
            packet.duration = 1
            container.mux(packet)


@contextmanager
def _written(file: Path) -> Iterator[Path]:
    try:
        with writing(file), written_whole(file) as partial:
            yield partial
    except FFmpegError as error:
        raise Failure(f"{visible(file)}: can't be encoded ({error.strerror})") from None


@contextmanager
def _piece(file: Path) -> Iterator[InputContainer]:
    try:
        with av.open(f"file:{file}") as container:
            yield container
    except FFmpegError as error:
        file.unlink()
        raise Failure(
            f"{file}: is damaged ({error.strerror}) and was deleted; the same command makes it anew"
        ) from None


def _packets(file: Path) -> Iterator[av.Packet]:
    with _piece(file) as container:
        for packet in container.demux(video=0):
            if packet.size:  # the last one only flushes
                yield packet
