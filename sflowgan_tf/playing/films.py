"""Films of a drive or of given videos, frame by frame, so that each can be the last one."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np

from sflowgan_tf.data.media import mp4
from sflowgan_tf.data.media.pictures import resize
from sflowgan_tf.data.media.scenes import Scenes, pair_up
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.playing import scenes
from sflowgan_tf.playing.canvas import Canvas
from sflowgan_tf.playing.easel import Easel
from sflowgan_tf.playing.recipe import Look, Recipe
from sflowgan_tf.translation.history import History
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.files import unfinished_folder

FRAME, LABELS, PAINTED, STEADIED = "frame", "labels", "painted", "steadied"  # columns of a film
MOST_FRAMES = 1500
MOST_DRIVE = 300
_MEASURED = 8  # frames whose colours stand for the film's
_BEGINNINGS = ((0, b"\x1aE\xdf\xa3"), (4, b"ftyp"), (0, b"RIFF"))  # of MKV, MP4 and AVI
_FPS = Fraction(25)


class Reel(Protocol):
    """What a film is made of."""

    @property
    def fps(self) -> Fraction:
        """Frames a second."""
        ...

    def count(self) -> Iterator[int]:
        """Looks at every frame, so that nothing is painted where one is wrong: 1, 2 and so on."""
        ...

    def frames(self) -> Iterator[Canvas]:
        """The frames in order."""
        ...


@dataclass(frozen=True, kw_only=True)
class StreetReel:
    """A drive through minicity.

    Attributes:
        seed: of the street.
        length: moments.
        size: (width, height).
        classes: of the model.
    """

    seed: int
    length: int
    size: tuple[int, int]
    classes: ClassTable
    fps: Fraction = Fraction(10)

    def count(self) -> Iterator[int]:
        """See `Reel`; there is nothing that could be wrong."""
        if not 0 < self.length <= MOST_DRIVE:
            raise UserError(f"Frames: expected 1 to {MOST_DRIVE}, got {self.length}")
        if not 0 <= self.seed <= scenes.MOST_SEED:
            raise UserError(f"Street: expected a whole number from 0 to {scenes.MOST_SEED}")
        yield self.length

    def frames(self) -> Iterator[Canvas]:
        """See `Reel`."""
        return scenes.drive(self.seed, self.length, self.size, self.classes)


class VideoReel:
    """A label video and a frame video of the same scenes."""

    def __init__(self, labels: Path, frames: Path, size: tuple[int, int], table: ClassTable):
        """Opens two files.

        Args:
            labels: a lossless video.
            frames: a video.
            size: (width, height) that they are cut and resized to.
            table: how the label video's ids become the model's classes.

        Raises:
            UserError: one is no video.
        """
        for file in (labels, frames):
            with open(file, "rb") as stream:
                head = stream.read(16)
            if not any(head[start:].startswith(mark) for start, mark in _BEGINNINGS):
                raise UserError(f"{file.name}: no MKV, MP4 or AVI; expected a video of these kinds")
        self._scenes: Scenes = pair_up(labels, frames, in_order=True)
        self._size, self._table = size, table

    @property
    def fps(self) -> Fraction:
        """See `Reel`."""
        return self._scenes.fps or _FPS

    def count(self) -> Iterator[int]:
        """See `Reel`."""
        for number, scene in enumerate(self._scenes.read(self._table, 0), 1):
            height, width = scene.labels.shape
            if width * height > scenes.MOST_FILE_PIXELS or number > MOST_FRAMES:
                raise UserError(
                    f"{width}x{height}, frame {number}: expected videos of at most "
                    f"{MOST_FRAMES} frames and 8192x4096 pixels; `translate` takes longer ones"
                )
            yield number

    def frames(self) -> Iterator[Canvas]:
        """See `Reel`."""
        for scene in self._scenes.read(self._table, 0):
            yield Canvas.of(resize(scene.labels, self._size), resize(scene.frame, self._size))


def make(
    easel: Easel, reel: Reel, look: Look, columns: Sequence[str], weight: float, file: Path
) -> Generator[tuple[str, int, int], None, None]:
    """Paints a film, which appears whole when the last step is done.

    Args:
        easel: that paints.
        reel: of what.
        look: how.
        columns: of `FRAME`, `LABELS`, `PAINTED` and `STEADIED`, side by side in this order.
        weight: of the past, for `STEADIED`, in [0, 1).
        file: an MP4.

    Yields:
        What is being done, how many frames of it are done, and of how many; 0 where nobody knows.

    Raises:
        UserError: a frame is wrong, or no column is chosen.
        Failure: the film can't be written.
    """
    if not columns:
        raise UserError("Choose what the film shows, one column at least")
    count = 0
    for count in reel.count():
        yield "looking at the frames", count, 0
    if not count:
        raise UserError("There are no frames in these videos")
    recoloring = easel.recoloring([*islice(reel.frames(), _MEASURED)], look)
    history = History(weight, easel.model.flow)
    with unfinished_folder(file.parent, file.name) as folder:
        piece = folder / file.name
        with mp4.encoded(piece, reel.fps) as encoder:
            for number, canvas in enumerate(reel.frames(), 1):
                picture = easel.paint(canvas, look, recoloring).picture
                shown = {
                    FRAME: canvas.frame,
                    LABELS: easel.model.classes.colorize(canvas.labels),
                    PAINTED: picture,
                }
                if STEADIED in columns:
                    shown[STEADIED] = history.steady(canvas.frame, picture[None])[0]
                encoder.add(np.hstack([shown[column] for column in columns]))
                yield "painting", number, count
        origin = easel.model.origin
        recipe = Recipe(model=origin["run"], step=origin["step"], look=look)
        mp4.join([piece], file, recipe.texts() | {"history": f"{weight:g}"}, reel.fps)
