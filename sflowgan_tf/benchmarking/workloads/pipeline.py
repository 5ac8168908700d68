"""The batches of a training, as they come from records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sflowgan_tf.benchmarking import memory
from sflowgan_tf.benchmarking.task import BATCHES, Task
from sflowgan_tf.benchmarking.workloads.records import OfRecords, batches
from sflowgan_tf.data import pipeline
from sflowgan_tf.data.media.pictures import write_png


class Pipeline(OfRecords):
    """The next batches of a training, one after the other through its epochs."""

    def __init__(self, task: Task):
        """Begins to read; writes the pictures for a rival."""
        super().__init__(task)
        self._batches = batches(task, self.config, self.folder, self.manifest)
        self._last: dict[str, Any] = {}
        self._resident: int | None = None
        self.items = BATCHES * task.batch
        if task.pictures is not None:
            self._write_pictures(Path(task.pictures))

    def _write_pictures(self, folder: Path) -> None:
        """The training frames as PNG: image_real, labels and edges, edges as 0 and 255."""
        frames = pipeline.every_frame(self.folder, self.manifest, "train")
        for number, frame in enumerate(frames):
            for name in ("image_real", "labels", "edges"):
                pixels = frame[name].numpy()
                pixels = 255 * pixels[..., 0] if name == "edges" else pixels
                write_png(folder / name / f"{number:06d}.png", pixels, {})

    def run(self) -> None:
        """Waits for the next batches."""
        for _ in range(BATCHES):
            self._last = next(self._batches)
        if self._resident is None:
            self._resident = memory.resident()

    @property
    def moved(self) -> int:
        """Bytes of the batches."""
        return BATCHES * sum(tensor.numpy().nbytes for tensor in self._last.values())

    def figures(self) -> dict[str, Any]:
        """What all have, and by how much the resident memory has grown since the first run."""
        now = memory.resident()
        grown = None if now is None or self._resident is None else now - self._resident
        return super().figures() | {"grown_bytes": grown}
