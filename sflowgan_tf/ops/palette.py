"""How the colours of a simulator's frames are brought to those of real ones. NumPy alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from sflowgan_tf.ops import preprocessing
from sflowgan_tf.ops.settings import Regions

# A class' colours are spread over the simulator's frames at least as widely as over real ones,
# where haze and exposure pull them together; wider ones would come out garish.
_MOST_SPREAD = 0.8


@dataclass(frozen=True, kw_only=True, eq=False)
class Recoloring:
    """What happens to the colours of each class, the last row being void: c -> scale c + shift.

    Attributes:
        scale: (C + 1, 3) float32.
        shift: (C + 1, 3) float32, grey levels.
    """

    scale: np.ndarray
    shift: np.ndarray

    @classmethod
    def none(cls, num_classes: int) -> Recoloring:
        """The one that leaves all colours as they are."""
        shape = (num_classes + 1, 3)
        return cls(scale=np.ones(shape, np.float32), shift=np.zeros(shape, np.float32))

    def to_dict(self) -> dict[str, Any]:
        """For JSON, exact."""
        return {"scale": self.scale.tolist(), "shift": self.shift.tolist()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Recoloring:
        """What `to_dict` gave.

        Raises:
            KeyError, TypeError, ValueError: it is of another form.
        """
        return cls(
            scale=np.array(values["scale"], np.float32), shift=np.array(values["shift"], np.float32)
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassColors:
    """The mean colours that the classes have in the frames of a set.

    Attributes:
        mean: (C + 1, 3) float32 grey levels, over the frames in which the class is; the last row is
            void's. NaN where no frame has the class.
        spread: (C + 1, 3) float32 grey levels, the standard deviation over those frames.
    """

    mean: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, frame_means: np.ndarray) -> ClassColors:
        """The colours of a set of frames.

        Args:
            frame_means: (frames, C + 1, 3) float, of `frame_means`.
        """
        present = ~np.isnan(frame_means)
        count = np.maximum(present.sum(0), 1)
        values = np.where(present, frame_means, 0)
        mean = values.sum(0) / count
        spread = np.sqrt((np.where(present, frame_means - mean, 0) ** 2).sum(0) / count)
        absent = ~present.any(0)
        return cls(
            mean=np.where(absent, np.nan, mean).astype(np.float32),
            spread=np.where(absent, np.nan, spread).astype(np.float32),
        )


def frame_means(labels: np.ndarray, image: np.ndarray, num_classes: int) -> np.ndarray:
    """The mean colour of each class in one frame.

    Args:
        labels: (height, width) integer indices; C or more is void.
        image: (height, width, 3) RGB 0..255.
        num_classes: C.

    Returns:
        (C + 1, 3) float32 grey levels, the last row void's; NaN where a class has no pixel.
    """
    indices = np.minimum(labels, num_classes).ravel()
    pixels = image.reshape(-1, 3).astype(np.float64)
    count = np.bincount(indices, minlength=num_classes + 1)
    sums = [np.bincount(indices, pixels[:, c], minlength=num_classes + 1) for c in range(3)]
    with np.errstate(invalid="ignore"):
        return (np.stack(sums, axis=-1) / count[:, None]).astype(np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Palette:
    """The colours of a model's training data.

    Attributes:
        real: of the real frames.
        simulator: of the simulator's frames of the same scenes; None where the data have none.
        clusters: (N, C + 1, 3) float32 grey levels, the classes' colours in N kinds of light:
            centres of those of real frames, the commonest first; NaN where none of a kind has the
            class.
        frames: (M, C + 1, 3) float32 grey levels, of some real frames, in a drawn order; NaN where
            one lacks the class.
    """

    real: ClassColors
    simulator: ClassColors | None
    clusters: np.ndarray
    frames: np.ndarray

    @property
    def num_classes(self) -> int:
        """C; void is not counted."""
        return len(self.real.mean) - 1

    def given(self, source: ClassColors | None = None) -> Recoloring:
        """Keeps what distinguishes the frames from each other, in the real frames' range.

        Args:
            source: colours of the frames that are painted; None for those of the simulator's
                frames in the training data. Without these either, colours stay as they are.
        """
        return self._toward(self.real, source)

    def cluster(self, number: int, source: ClassColors | None = None) -> Recoloring:
        """Gives the classes the colours of one cluster.

        Args:
            number: 0 to N - 1; 0 is the commonest one.
            source: as for `given`.
        """
        return self._toward(self._centred(self.clusters[number]), source)

    def drawn(self, seed: int, source: ClassColors | None = None) -> Recoloring:
        """Gives the classes the colours of a real frame, all of them of the same one.

        So they belong together, as by day or at dusk: classes with colours drawn one by one are
        not what they were in any light. As far from the mean as `given` lets colours be.

        Args:
            seed: says which frame; M seeds in a row give M different ones.
            source: as for `given`.
        """
        apart = self.frames[seed % len(self.frames)] - self.real.mean
        return self._toward(self._centred(self.real.mean + _MOST_SPREAD * apart), source)

    def like(self, colors: ClassColors, source: ClassColors | None = None) -> Recoloring:
        """Gives each class the colours of other frames; those that they lack as `given` does.

        Args:
            colors: of these frames.
            source: as for `given`.
        """
        return self._toward(self._centred(colors.mean), source)

    def _centred(self, mean: np.ndarray) -> ClassColors:
        known = ~np.isnan(mean)
        return ClassColors(mean=np.where(known, mean, self.real.mean), spread=self.real.spread)

    def _toward(self, target: ClassColors, source: ClassColors | None) -> Recoloring:
        source = source or self.simulator
        if source is None:
            return Recoloring.none(self.num_classes)
        with np.errstate(invalid="ignore", divide="ignore"):
            scale = np.minimum(target.spread / source.spread, _MOST_SPREAD)
        scale = np.where(np.isnan(scale), _MOST_SPREAD, scale)  # one frame: no spread, 0 / 0
        shift = target.mean - scale * source.mean
        unknown = np.isnan(shift)
        return Recoloring(
            scale=np.where(unknown, 1, scale).astype(np.float32),
            shift=np.where(unknown, 0, shift).astype(np.float32),
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON: nested lists, None for what is not known."""
        return {
            "real": _lists_of(self.real),
            "simulator": self.simulator and _lists_of(self.simulator),
            "clusters": _listed(self.clusters),
            "frames": _listed(self.frames),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Palette:
        """What `to_dict` gave.

        Raises:
            KeyError, TypeError, ValueError: it is of another form.
        """
        simulator = values["simulator"]
        return cls(
            real=_colors_of(values["real"]),
            simulator=None if simulator is None else _colors_of(simulator),
            clusters=np.array(values["clusters"], np.float32),
            frames=np.array(values["frames"], np.float32),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class ColorInput:
    """How a model that sees colours is given them.

    Attributes:
        regions: over which colours are averaged.
        palette: of the records that it was trained on.
    """

    regions: Regions
    palette: Palette

    def colors(
        self, labels: np.ndarray, images: np.ndarray, recoloring: Recoloring | None
    ) -> np.ndarray:
        """What a model is given of frames: the colours of their regions, recoloured.

        Args:
            labels: (batch, height, width) integer class indices; C or more is void.
            images: (batch, height, width, 3) RGB, uint8 or floating 0..255.
            recoloring: of all frames; None for `palette.given()`.

        Returns:
            (batch, height, width, 3) float32 0..255.
        """
        kinds, chosen = self.palette.num_classes, recoloring or self.palette.given()
        scale, shift = (
            np.repeat(x[None].astype(np.float32), len(labels), axis=0)
            for x in (chosen.scale, chosen.shift)
        )
        colors = preprocessing.region_colors(labels, images, kinds, self.regions, np)
        return preprocessing.recolored(colors, labels, scale, shift, np)

    def of_real_frames(self) -> ColorInput:
        """The same for frames of a camera: `palette.given()` leaves their colours as they are."""
        return replace(self, palette=replace(self.palette, simulator=None))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self.regions), "palette": self.palette.to_dict()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ColorInput:
        """What `to_dict` gave.

        Raises:
            KeyError, TypeError, ValueError: it is of another form.
        """
        fine = tuple(int(index) for index in values["fine"])
        regions = Regions(cell=int(values["cell"]), fine=fine)
        return cls(regions=regions, palette=Palette.from_dict(values["palette"]))


def _lists_of(colors: ClassColors) -> dict[str, Any]:
    return {"mean": _listed(colors.mean), "spread": _listed(colors.spread)}


def _listed(array: np.ndarray) -> Any:
    rounded = np.round(array.astype(np.float64), 3).astype(object)
    return np.where(np.isnan(array), None, rounded).tolist()  # type: ignore[call-overload]


def _colors_of(values: dict[str, Any]) -> ClassColors:
    return ClassColors(
        mean=np.array(values["mean"], np.float32), spread=np.array(values["spread"], np.float32)
    )
