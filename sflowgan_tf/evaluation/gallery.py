"""The pictures of an evaluation: sheets of frames, variations, and a film."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sflowgan_tf.data.media.mp4 import encoded
from sflowgan_tf.evaluation.frames import Frame, Place
from sflowgan_tf.evaluation.frames import place as place_of
from sflowgan_tf.evaluation.reference import Reference
from sflowgan_tf.evaluation.result import Picture
from sflowgan_tf.evaluation.subjects import Files, Painted
from sflowgan_tf.ops.images import contact_sheet
from sflowgan_tf.training import sheets
from sflowgan_tf.utils.files import written_whole

_ROWS = 4  # frames on a sheet
_FILM = 60  # frames of the film
_FPS = Fraction(5)


@dataclass(frozen=True)
class Gallery:
    """Draws the pictures of a subject beside the reference's frames, as files in `output`.

    Variations are drawn with `seed`.
    """

    subject: Painted | Files
    reference: Reference
    seed: int
    output: Path

    def pictures(self, rows: list[dict[str, Any]]) -> list[Picture]:
        """Draws sheets of best, worst and evenly spaced frames, of variations, and a film.

        `rows` are the figures of each frame, in the order of the records (`Scoring.frames`); best
        and worst are left out where they hold no perceptual distance.
        """
        has_distance = "perceptual" in rows[0]
        ranked = sorted(rows, key=lambda row: row["perceptual"]) if has_distance else []
        step = max(len(rows) // _ROWS, 1)
        choices = {
            "samples": (rows[::step][:_ROWS], "Evenly spaced over the reference"),
            "best": (_one_a_sequence(ranked), "Smallest perceptual distance, one a sequence"),
            "worst": (_one_a_sequence(ranked[::-1]), "Largest perceptual distance, one a sequence"),
        }
        alone = "."
        if isinstance(self.subject, Painted) and self.subject.remembers:
            alone = "; each painted by itself, without those before it."
        frames, drive = self._read(
            {_place(row) for chosen, _ in choices.values() for row in chosen}
        )
        film = self._film(drive)
        pictures = []
        for name, (chosen, caption) in choices.items():
            if chosen:
                sheet = self._sheet([frames[_place(row)] for row in chosen])
                pictures.append(self._write(name, sheet, caption + alone))
        if isinstance(self.subject, Painted) and self.subject.varies:
            sheet = sheets.variations(self.subject.translator, drive[0], self.seed)
            weights = (
                "One scene with four sets of ensemble weights, and the edges it is painted from."
            )
            pictures.append(self._write("variations", sheet, weights))
        return [*pictures, film]

    def _read(self, places: set[Place]) -> tuple[dict[Place, Frame], list[Frame]]:
        """The frames at `places`, and those of the first clip."""
        frames: dict[Place, Frame] = {}
        drive: list[Frame] = []
        for number, clip in enumerate(self.reference.clips()):
            for frame in clip:
                if place_of(frame) in places:
                    frames[place_of(frame)] = frame
                if not number and len(drive) < _FILM:
                    drive.append(frame)
        return frames, drive

    def _sheet(self, frames: list[Frame]) -> np.ndarray:
        table = self.reference.manifest.classes
        if isinstance(self.subject, Painted):
            return sheets.scenes(self.subject.translator, table, frames, self.subject.varies)
        rows = [
            [
                table.colorize(frame["labels"].numpy()),
                self.subject.picture(frame),
                frame["image_real"].numpy(),
            ]
            for frame in frames
        ]
        return contact_sheet(rows, ["labels", "result", "real"])

    def _write(self, name: str, sheet: np.ndarray, caption: str) -> Picture:
        file = f"{name}.png"
        with written_whole(self.output / file) as partial:
            Image.fromarray(sheet).save(partial, format="png")
        return Picture(file=file, title=name.capitalize(), caption=caption)

    def _film(self, frames: list[Frame]) -> Picture:
        pictures = np.stack([self.subject.picture(frame) for frame in frames])
        with encoded(self.output / "film.mp4", _FPS) as encoder:
            for image in sheets.film(frames, pictures):
                encoder.add(image)
        caption = "Given frame, result and real frame of a drive, frame by frame."
        return Picture(file="film.mp4", title="Film", caption=caption)


def _one_a_sequence(ranked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first row of each of the first sequences: frames of one sequence are alike."""
    first = {row["sequence"]: row for row in reversed(ranked)}
    return [row for row in ranked if first[row["sequence"]] is row][:_ROWS]


def _place(row: dict[str, Any]) -> Place:
    return row["sequence"], row["frame"]
