"""What `--appearance` names: the colours in which a set of scenes is painted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from sflowgan_tf.data.media.pictures import SUFFIXES, read_image, read_labels
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.ops.palette import ClassColors, Palette, Recoloring, frame_means
from sflowgan_tf.utils.errors import UserError

MEASURED = 64  # frames of a set at most, of which its colours are known
_CHOICES = "given, like:PICTURE, like:PICTURE,LABELS, cluster:N or random"
# Frame means of the training's simulator lie within one standard deviation of their mean, mostly.
_OWN = 2.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Tone:
    """The colours of all pixels of a picture or a set of frames, whatever they show.

    Attributes:
        mean: (3,) float64 grey levels.
        spread: (3,) float64 grey levels, their standard deviation.
    """

    mean: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, image: np.ndarray) -> Tone:
        """That of a picture, (height, width, 3) uint8 RGB."""
        pixels = image.reshape(-1, 3).astype(np.float64)
        return cls(mean=pixels.mean(0), spread=pixels.std(0))

    def recoloring(self, given: Tone, num_classes: int) -> Recoloring:
        """Brings the colours of frames, whose tone is given, to this one, in all classes alike."""
        flat = given.spread == 0
        scale = np.where(flat, 1, self.spread / np.where(flat, 1, given.spread))
        rows = (num_classes + 1, 1)
        return Recoloring(
            scale=np.tile(scale, rows).astype(np.float32),
            shift=np.tile(self.mean - scale * given.mean, rows).astype(np.float32),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class SetColors:
    """The colours of a set of frames.

    Attributes:
        classes: of each class.
        tone: of all pixels.
    """

    classes: ClassColors
    tone: Tone

    @classmethod
    def of(cls, scenes: Iterable[tuple[np.ndarray, np.ndarray]], num_classes: int) -> SetColors:
        """Measures a set, one scene in memory at a time.

        Args:
            scenes: label maps (height, width) uint8, C or more is void, and their frames (height,
                width, 3) uint8 RGB; at least one, all of one size.
            num_classes: C.
        """
        means, moments = [], []
        for labels, frame in scenes:
            means.append(frame_means(labels, frame, num_classes))
            pixels = frame.reshape(-1, 3).astype(np.float64)
            moments.append([pixels.mean(0), (pixels**2).mean(0)])
        mean, square = np.mean(moments, axis=0)
        spread = np.sqrt(np.maximum(square - mean**2, 0))
        tone = Tone(mean=mean, spread=spread)
        return cls(classes=ClassColors.of(np.stack(means)), tone=tone)

    def source(self, palette: Palette) -> ClassColors | None:
        """What a recolouring of these frames starts from, as `Palette.given` takes it.

        Frames of the simulator that a model was trained with start from all that it showed there:
        the few cars of a set would otherwise be brought to the mean of all real cars, and lose
        what distinguishes them. Those of another simulator start from their own colours. They are
        taken for such where half of the classes' means lie more than two standard deviations from
        the training's.

        Args:
            palette: of the model.

        Returns:
            None for the palette's own.
        """
        known = palette.simulator
        if known is None:
            return self.classes
        with np.errstate(invalid="ignore", divide="ignore"):
            distance = np.abs(self.classes.mean - known.mean) / known.spread
        distance = distance[np.isfinite(distance)]
        is_own = not distance.size or np.median(distance) <= _OWN
        return None if is_own else self.classes


Aim = Callable[[SetColors, int], Recoloring]  # colours of the set and a seed -> its recolouring


@dataclass(frozen=True, kw_only=True)
class AppearanceChoice:
    """A choice of colours, the same for all scenes of a set.

    Attributes:
        text: the choice as it was written.
        kind: the word before the colon.
        number: of the cluster, for `cluster`.
        files: for `like`, a picture and perhaps its label map.
    """

    text: str
    kind: Literal["given", "like", "cluster", "random"]
    number: int = 0
    files: tuple[Path, ...] = ()

    @classmethod
    def parse(cls, text: str) -> AppearanceChoice:
        """The choice that a text names.

        Raises:
            UserError: it names none, or a file that is not there.
        """
        kind, _, rest = text.partition(":")
        if text in ("given", "random"):
            return cls(text=text, kind=text)  # type: ignore[arg-type]
        if kind == "cluster" and rest.isdecimal():
            return cls(text=text, kind="cluster", number=int(rest))
        if kind == "like" and rest:
            return cls(text=text, kind="like", files=_files(rest))
        raise UserError(f"--appearance {text}: expected {_CHOICES}")

    def aim(self, palette: Palette, table: ClassTable) -> Aim:
        """What gives the recolouring of a set.

        Args:
            palette: of the model.
            table: how the ids of a label map become the model's classes.

        Raises:
            UserError: there is no such cluster, or a picture or label map is unusable.
        """
        if self.kind == "cluster":
            if self.number >= len(palette.clusters):
                raise UserError(
                    f"--appearance {self.text}: this model has clusters 0 to "
                    f"{len(palette.clusters) - 1}, the commonest colours first"
                )
            return lambda colors, seed: palette.cluster(self.number, colors.source(palette))
        if self.kind == "random":
            return lambda colors, seed: palette.drawn(seed, colors.source(palette))
        if self.kind == "like":
            return self._like(palette, table)
        return lambda colors, seed: palette.given(colors.source(palette))

    def _like(self, palette: Palette, table: ClassTable) -> Aim:
        image = read_image(self.files[0])
        if len(self.files) == 1:
            tone = Tone.of(image)
            return lambda colors, seed: tone.recoloring(colors.tone, palette.num_classes)
        labels = read_labels(self.files[1], table)
        if labels.shape != image.shape[:2]:
            sizes = [f"{a.shape[1]}x{a.shape[0]}" for a in (labels, image)]
            raise UserError(
                f"--appearance: {self.files[1]} is {sizes[0]}, but {self.files[0]} is {sizes[1]}; "
                "expected the same size"
            )
        target = ClassColors.of(frame_means(labels, image, palette.num_classes)[None])
        return lambda colors, seed: palette.like(target, colors.source(palette))


def _files(names: str) -> tuple[Path, ...]:
    """The files of `PICTURE` or `PICTURE,LABELS`; a picture's own name may hold a comma."""
    picture, _, labels = names.rpartition(",")
    has_labels = picture and not Path(names).is_file()
    files = (Path(picture), Path(labels)) if has_labels else (Path(names),)
    for file in files:
        if not file.is_file():
            raise UserError(f"--appearance like:{names}: no file {file}")
        if file.suffix.lower() not in SUFFIXES:
            raise UserError(
                f"--appearance like:{names}: {file} is no picture ({', '.join(SUFFIXES)})"
            )
    return files
