"""A film, painted by a trained model: from PNGs to MP4."""

from __future__ import annotations

from fractions import Fraction

from sflowgan_tf import loading, minicity
from sflowgan_tf.benchmarking.task import BARE, STEADIED, Task
from sflowgan_tf.benchmarking.workloads.base import Workload
from sflowgan_tf.benchmarking.workloads.records import scratch
from sflowgan_tf.data.media.scenes import pair_up
from sflowgan_tf.translation.films import Films
from sflowgan_tf.translation.history import History
from sflowgan_tf.translation.painting import Painter

_FRAMES, _WEIGHT, _PIECE = 32, 0.9, 250  # of the film; of the past; frames in a piece


class Film(Workload):
    """A film of a street, as `translate` makes it; or its scenes painted from memory."""

    def __init__(self, task: Task):
        """Draws the scenes, and reads the model.

        Raises:
            UserError: there is no such model, or it does not know minicity's classes.
        """
        super().__init__(task)
        self._root = scratch(task)
        drawn = {"sequences": 1, "frames": _FRAMES, "seed": task.seed}
        minicity.write(self._root / "raw", size=task.sides, progress=None, **drawn)
        (street,) = (self._root / "raw").glob("*-SEQS-*")
        self._scenes = pair_up(street / "GT" / "LABELS", street / "RGB", in_order=True)
        self._model = loading.load(task.model)
        self._painter = Painter(
            self._model,
            size=task.sides,
            table=self._model.classes,
            variations=1,
            seed=task.seed,
            redraw=True,
        )
        self._recolorings = self._painter.recolorings(self._scenes, _FRAMES)
        self._in_memory = [*self._painter.read(self._scenes, 0)] if task.form == BARE else []
        self.items = _FRAMES

    def run(self) -> None:
        """Makes the film anew; or paints the scenes."""
        for scene in self._in_memory:
            for _ in self._painter.paint(scene, self._recolorings):
                pass
        if not self._in_memory:
            Films(
                self._painter,
                file=self._root / "film.mp4",
                fps=Fraction(25),
                side_by_side=False,
                piece=_PIECE,
                history=History(_WEIGHT * (self.task.form == STEADIED), self._model.flow),
            ).make(self._scenes)

    @property
    def dtype(self) -> str:
        """Pictures are painted in float32, whatever a training's precision."""
        return "float32"
