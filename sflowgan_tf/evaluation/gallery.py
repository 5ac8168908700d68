"""The pictures of an evaluation: sheets of frames, variations, and a film."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.data.media.mp4 import encoded
from sflowgan_tf.evaluation.result import Picture
from sflowgan_tf.evaluation.subjects import Files, Frame, Painted, Place
from sflowgan_tf.ops.images import contact_sheet
from sflowgan_tf.training import sheets
from sflowgan_tf.utils.files import written_whole

_SHOWN = 4  # frames on a sheet
_FILM = 60  # frames of the film
_FPS = Fraction(5)


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Draws what is scored beside the reference.

    Attributes:
        subject: what is scored.
        folder: of the reference's records.
        manifest: of the reference.
        split: of the reference.
        seed: of the variations.
        output: for the files.
    """

    subject: Painted | Files
    folder: Path
    manifest: Manifest
    split: str
    seed: int
    output: Path

    def pictures(self, rows: list[dict[str, Any]]) -> list[Picture]:
        """Draws sheets of best, worst and evenly spaced frames, of variations, and a film.

        Args:
            rows: the figures of each frame, in the order of the records (`Scoring.frames`); best
                and worst are left out where they hold no perceptual distance.
        """
        measured = "perceptual" in rows[0]
        ranked = sorted(rows, key=lambda row: row["perceptual"]) if measured else []
        step = max(len(rows) // _SHOWN, 1)
        alone = self._alone()
        best = f"Smallest perceptual distance, one a sequence{alone}."
        worst = f"Largest perceptual distance, one a sequence{alone}."
        chosen = {
            "samples": (rows[::step][:_SHOWN], f"Evenly spaced over the reference{alone}."),
            "best": (_one_a_sequence(ranked), best),
            "worst": (_one_a_sequence(ranked[::-1]), worst),
        }
        frames, film = self._read({_place(row) for shown, _ in chosen.values() for row in shown})
        found = []
        for name, (shown, caption) in chosen.items():
            if shown:
                sheet = self._sheet([frames[_place(row)] for row in shown])
                found.append(self._keep(name, sheet, caption))
        if isinstance(self.subject, Painted) and self.subject.redraw:
            sheet = sheets.variations(self.subject.translator, film[0], self.seed)
            caption = (
                "One scene with four sets of ensemble weights, and the edges it is painted from."
            )
            found.append(self._keep("variations", sheet, caption))
        found.append(self._film(film))
        return found

    def _alone(self) -> str:
        """That sheets show pictures painted anew, where what was scored had a past."""
        if isinstance(self.subject, Painted) and self.subject.history.weight:
            return "; each painted by itself, without history"
        return ""

    def _read(self, places: set[Place]) -> tuple[dict[Place, Frame], list[Frame]]:
        """The frames at `places`, and those of the first clip."""
        frames: dict[Place, Frame] = {}
        film: list[Frame] = []
        for clip in pipeline.sequences(self.folder, self.manifest, self.split):
            first = not film
            for frame in clip:
                place = frame["sequence"].numpy().decode(), int(frame["frame"])
                if place in places:
                    frames[place] = frame
                if first and len(film) < _FILM:
                    film.append(frame)
        return frames, film

    def _sheet(self, frames: list[Frame]) -> np.ndarray:
        if isinstance(self.subject, Painted):
            table = self.manifest.classes
            return sheets.scenes(self.subject.translator, table, frames, self.subject.redraw)
        rows = [
            [
                self.manifest.classes.colorize(frame["labels"].numpy()),
                self.subject.picture(frame),
                frame["image_real"].numpy(),
            ]
            for frame in frames
        ]
        return contact_sheet(rows, ["labels", "result", "real"])

    def _keep(self, name: str, sheet: np.ndarray, caption: str) -> Picture:
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
    """The first rows, of sequences that differ: the frames of one are alike."""
    first = {row["sequence"]: row for row in reversed(ranked)}
    return [row for row in ranked if first[row["sequence"]] is row][:_SHOWN]


def _place(row: dict[str, Any]) -> Place:
    return row["sequence"], row["frame"]
