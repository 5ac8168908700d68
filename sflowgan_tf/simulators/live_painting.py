"""A simulator's ticks, painted as they come."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
from tqdm import tqdm

from sflowgan_tf.data.media import mp4
from sflowgan_tf.ops.classes import TABLES, ClassTable
from sflowgan_tf.simulators.base import Simulator
from sflowgan_tf.simulators.feed import Feed, in_real_time
from sflowgan_tf.translation.model import Model
from sflowgan_tf.utils.errors import Failure, UserError, prefixed
from sflowgan_tf.utils.files import unfinished_folder
from sflowgan_tf.utils.memory import enough_memory


class LivePainting:
    """Paints a drive in the simulator's own time, and the pictures' film.

    While a tick is painted the simulator drives on; ticks that come meanwhile are dropped but for
    the newest one. The film has a frame for each tick all the same, so that it runs as fast as the
    drive: a dropped one shows the picture before it.

    Attributes:
        delays: seconds from when a tick came to when it was painted, of each picture.
        dropped: ticks that were not painted.
        stopped: what ended the drive before its end; None where nothing did.
    """

    def __init__(
        self,
        model: Model,
        simulator: Simulator,
        classes: ClassTable | str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        """A painting that is not begun.

        Args:
            model: that paints.
            simulator: with one camera.
            classes: of its labels, as `ClassTable.reading` takes them; None for what it says.
            clock: gives seconds.

        Raises:
            UserError: the simulator's classes are not the model's.
        """
        self.model, self.simulator, self.clock = model, simulator, clock
        if classes is None:
            self.table = reading(model.classes, simulator.table)
        else:
            self.table = model.classes.reading(classes)
        self.delays: list[float] = []
        self.dropped = 0
        self.stopped: BaseException | None = None
        self._begun = self._ended = 0.0

    def make(self, film: Path | None, fps: Fraction) -> None:
        """Drives and paints; what stops it after the first picture leaves the film as it is then.

        Args:
            film: an MP4, which appears at the end; None for no film.
            fps: of the film, the simulator's ticks a second.

        Raises:
            UserError: the simulator can't be reached, or the model can't paint its frames.
            Failure: the film can't be written, or nothing could be painted.
        """
        width, height = self.simulator.cameras[0].size
        blank = np.zeros((height, width, 3), np.uint8)
        self._paint(blank[..., 0], blank)  # the first picture takes longer than any other
        with (
            self.simulator.drive() as ticks,
            _film(film, fps, self.model.origin) as add,
            Feed(in_real_time(ticks), self.clock) as feed,
            tqdm(desc="painting", total=self.simulator.frames, unit="tick") as bar,
        ):
            try:
                self._follow(feed, add, bar)
            except (KeyboardInterrupt, Failure, UserError) as stopped:
                if not self.delays:
                    raise
                self.stopped = stopped

    def _follow(self, feed: Feed, add: Callable[[np.ndarray], None], bar: tqdm) -> None:
        shown, number = None, -1
        for tick, came in feed:
            picture = self._paint(self.table.encode(tick.labels), tick.frame)
            self._ended = self.clock()
            self._begun = self._begun if self.delays else came
            self.delays.append(self._ended - came)
            missed = tick.number - number - 1
            self.dropped += missed
            if shown is not None:
                for _ in range(missed):
                    add(shown)
            add(picture)
            shown, number = picture, tick.number
            bar.update(1 + missed)
            bar.set_postfix_str(f"{self.rate:.1f} painted/s, delay {1000 * self.delays[-1]:.0f} ms")

    def _paint(self, labels: np.ndarray, frame: np.ndarray) -> np.ndarray:
        height, width = labels.shape
        with enough_memory(f"to paint {width}x{height}", lambda: "choose a smaller --size"):
            return self.model.translate(labels, frame)

    @property
    def rate(self) -> float:
        """Pictures a second, from when the first tick came to when the last one was painted."""
        return len(self.delays) / max(self._ended - self._begun, 1e-9)

    @property
    def report(self) -> str:
        """What a user wants to know of it at the end, in a line."""
        painted = len(self.delays)
        middle, most = statistics.median(self.delays), max(self.delays)
        return (
            f"Painted: {painted} of {painted + self.dropped} ticks, {self.dropped} dropped; "
            f"{self.rate:.1f} a second, delay {1000 * middle:.0f} ms in the median, "
            f"{1000 * most:.0f} ms at most"
        )


def reading(classes: ClassTable, table: str) -> ClassTable:
    """The table that reads a simulator's labels into a model's classes.

    Args:
        classes: of the model.
        table: the simulator's, a key of `TABLES`; Cityscapes' trainIds are tried too.

    Raises:
        UserError: its classes are others.
    """
    mapped = f"{table}-as-cityscapes"
    is_mapped = mapped in TABLES and TABLES[mapped].names == classes.names
    with prefixed("the simulator's "):
        return classes.reading(mapped if is_mapped else table)


@contextmanager
def _film(
    file: Path | None, fps: Fraction, texts: dict[str, str]
) -> Iterator[Callable[[np.ndarray], None]]:
    """What adds a picture to a film with `texts` as metadata; to none where `file` is None."""
    if file is None:
        yield lambda picture: None
        return
    with unfinished_folder(file.parent, file.name) as folder:
        piece = folder / file.name
        with mp4.encoded(piece, fps) as encoder:
            yield encoder.add
        mp4.join([piece], file, texts, fps)
