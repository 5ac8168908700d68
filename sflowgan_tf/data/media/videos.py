"""Video files, read frame by frame with errors that name the file and the frame.

A label video holds exact class ids, so it is lossless: grey levels that are the ids, or RGB in the
class table's colours. Grey planes are read as they are coded; a conversion between grey or YUV and
RGB rescales the range and would change ids. That is also why grey H.264 is refused: FFmpeg decodes
it to YUV and does not tell it from a video that was converted.

A telephone that was held upright stores its frames lying and says by which quarter turns they are
shown; frames are turned so.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.sidedata.encparams import VideoEncParams

from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.utils.errors import UserError

_PROPER = (
    "expected lossless grey (class ids) or lossless RGB (the class table's colours), as "
    "`ffmpeg -framerate 25 -i %06d.png -c:v ffv1 labels.mkv` makes it of label maps (with "
    "`-vf extractplanes=r` where the ids are in the red channel)"
)
_GREY = ("gray", "gray16le", "gray16be")


class VideoFile:
    """The first video stream of a file that FFmpeg reads, opened at each reading."""

    def __init__(self, file: Path):
        self.place = file

    @property
    def files(self) -> list[Path]:
        """The file itself, in a list as a `Folder` has it."""
        return [self.place]

    def in_order(self) -> "VideoFile":
        """The video, whose frames are in order."""
        return self

    @cached_property
    def fps(self) -> Fraction | None:
        """Frames a second, the average; None where the file does not say.

        Raises:
            UserError: the file is no video.
        """
        with self._opened() as container:
            return container.streams.video[0].average_rate

    def name(self, index: int) -> str:
        """Name of the picture file for a frame, without its suffix."""
        return f"{index:06d}"

    def where(self, index: int) -> str:
        """A frame, counted from 0, for messages."""
        return f"{self.place}, frame {index}"

    def images(self, start: int) -> Iterator[np.ndarray]:
        """Frames from `start` on, each (height, width, 3) uint8 RGB.

        Raises:
            UserError: the file is no video, or a frame can't be decoded.
        """
        for frame in self._decoded(start):
            yield _upright(frame, frame.to_ndarray(format="rgb24"))

    def labels(self, table: ClassTable, start: int) -> Iterator[np.ndarray]:
        """Label maps from `start` on, each (height, width) uint8 class indices.

        Frames before them are decoded, but not looked at.

        Raises:
            UserError: as `images`; or the video is lossy, neither grey nor RGB, or has an id or a
                colour outside the table.
        """
        with self._opened() as container:
            codec = container.streams.video[0].codec_context
            # Each frame of H.264 says by itself whether it is lossless.
            if codec.name != "h264" and (codec.codec.lossy or not codec.codec.lossless):
                raise UserError(f"{self.place}: {codec.name} changes class ids; {_PROPER}")
        for index, frame in enumerate(self._decoded(start), start):
            try:
                yield _upright(frame, _labels(frame, table))
            except UserError as error:
                raise UserError(f"{self.where(index)}: {error}") from None

    def _opened(self) -> InputContainer:
        try:
            container = av.open(f"file:{self.place}")
        except FFmpegError as error:
            raise UserError(
                f"{self.place}: can't be opened as a video ({error.strerror}); is it whole?"
            ) from None
        if not container.streams.video:
            container.close()
            raise UserError(f"{self.place}: no video stream in it")
        return container

    def _decoded(self, start: int) -> Iterator[av.VideoFrame]:
        decoded = 0
        with self._opened() as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            # Damage is an error instead of being concealed; quantisers above 0 are losses.
            stream.codec_context.options = {
                "err_detect": "explode",
                "export_side_data": "venc_params",
            }
            try:
                for frame in container.decode(stream):
                    if decoded >= start:
                        yield frame
                    decoded += 1
            except FFmpegError as error:
                raise UserError(
                    f"{self.where(decoded)} or soon after: can't be decoded ({error.strerror})"
                ) from None


def _upright(frame: av.VideoFrame, pixels: np.ndarray) -> np.ndarray:
    """Pixels (height, width, ...) of a frame as stored, turned as the file says they are shown."""
    return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90)))


def _labels(frame: av.VideoFrame, table: ClassTable) -> np.ndarray:
    for data in frame.side_data:
        if isinstance(data, VideoEncParams) and data.qp_map().any():
            raise UserError(f"it is coded with losses; {_PROPER}")
    if frame.format.is_rgb and all(part.bits == 8 for part in frame.format.components):
        return table.indices(frame.to_ndarray(format="rgb24"))
    if frame.format.name not in _GREY:
        raise UserError(f"its pixels are {frame.format.name}; {_PROPER}")
    return replace(table, bits=None).indices(frame.to_ndarray())  # of the codec's depth
