"""What is measured on the frames of a film while it runs by: numbers and features, no pictures."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from sflowgan_tf.data import pipeline
from sflowgan_tf.data.flow import estimated_motion
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.evaluation.metrics.diversity import diversity
from sflowgan_tf.evaluation.metrics.features import FeatureNetwork
from sflowgan_tf.evaluation.metrics.paired import paired_scores
from sflowgan_tf.evaluation.metrics.segmentation import Confusion
from sflowgan_tf.evaluation.metrics.temporal import Steadiness
from sflowgan_tf.networks.vgg import VGG19Features
from sflowgan_tf.ops.settings import Farneback
from sflowgan_tf.utils.files import written_whole

VERSION = "2"  # another one where what is measured changes: figures that were kept are not used
PAIRED = ("l1", "psnr", "ssim", "perceptual")
TEMPORAL = ("warping_error", "flicker")

Frame = dict[str, Any]
Painter = Callable[[Frame], np.ndarray]  # a record's frame -> (height, width, 3) uint8 RGB


@dataclass(frozen=True, kw_only=True)
class Clip:
    """The figures of consecutive frames; what was not asked for has no rows.

    Attributes:
        sequence: its name.
        frames: (frames,) their numbers.
        paired: (frames, 4) l1, psnr, ssim and perceptual distance to the real frame.
        confusion: (frames, classes + 1, classes + 1) pixels, as `Confusion.counts`.
        features: (frames, dimension) of each picture.
        windows: (windows, dimension) of each piece of the film, one after the other.
        temporal: (pairs, 2) warping error and flicker.
        diversity: (1,) of the clip's first scene.
    """

    sequence: str
    frames: np.ndarray
    paired: np.ndarray
    confusion: np.ndarray
    features: np.ndarray
    windows: np.ndarray
    temporal: np.ndarray
    diversity: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Instruments:
    """What to measure with; None leaves a measurement out.

    Attributes:
        num_classes: of the label maps.
        segment: (batch, height, width, 3) uint8 -> (batch, height, width) uint8 classes, or from
            num_classes on none.
        features: of pictures.
        clip_features: of windows of films.
        window: frames in one.
        vgg: of the perceptual distances.
        farneback: settings of the flow, where the exact motion is not known.
    """

    num_classes: int
    segment: Callable[[np.ndarray], np.ndarray] | None
    features: FeatureNetwork | None
    clip_features: FeatureNetwork | None
    window: int
    vgg: VGG19Features | None
    farneback: Farneback | None

    def measure(
        self,
        folder: Path,
        manifest: Manifest,
        split: str,
        paint: Painter,
        variations: Painter | None = None,
        done: Callable[[], object] = lambda: None,
    ) -> Iterator[Clip]:
        """Measures a film made of each clip of the reference.

        Args:
            folder: of the records.
            manifest: of the records.
            split: "train" or "validation".
            paint: makes the film's pictures.
            variations: makes several of one scene, (count, height, width, 3); None leaves diversity
                out.
            done: called after each frame.
        """
        for frames in pipeline.sequences(folder, manifest, split):
            yield self._clip(frames, paint, variations, done)

    def _clip(
        self,
        frames: Iterator[Frame],
        paint: Painter,
        variations: Painter | None,
        done: Callable[[], object],
    ) -> Clip:
        rows: dict[str, list[Any]] = {field.name: [] for field in fields(Clip)[1:]}
        steadiness, held = Steadiness(), deque[np.ndarray](maxlen=self.window)
        before: tuple[Frame, np.ndarray] | None = None
        sequence = ""
        for index, frame in enumerate(frames):
            picture = paint(frame)
            sequence = frame["sequence"].numpy().decode()
            rows["frames"].append(int(frame["frame"]))
            self._look(frame, picture, rows)
            held.append(picture)
            if self.clip_features and (index + 1) % self.window == 0:
                rows["windows"].append(self.clip_features(np.stack(held)[None])[0])
            if before and self.farneback is not None:
                motion = _motion(before[0], frame, self.farneback)
                steadiness.update(before[1], picture, *motion)
            if variations and index == 0 and self.vgg:
                rows["diversity"].append(diversity(variations(frame), self.vgg))
            before = frame, picture
            done()
        rows["temporal"] = [*zip(steadiness.warping_errors, steadiness.flickers, strict=True)]
        return Clip(sequence=sequence, **{name: np.array(values) for name, values in rows.items()})

    def _look(self, frame: Frame, picture: np.ndarray, rows: dict[str, list[Any]]) -> None:
        """What a single picture tells."""
        if self.vgg:
            scores = paired_scores(picture, frame["image_real"].numpy(), self.vgg)
            rows["paired"].append([scores[name] for name in PAIRED])
        if self.segment:
            counted = Confusion(self.num_classes)
            counted.update(frame["labels"].numpy(), self.segment(picture[None])[0])
            rows["confusion"].append(counted.counts)
        if self.features:
            rows["features"].append(self.features(picture[None])[0])


def _motion(frame: Frame, following: Frame, farneback: Farneback) -> tuple[np.ndarray, np.ndarray]:
    """From one frame to the next: exact where it is known, or that of the real film."""
    if "motion" in frame:
        return frame["motion"].numpy(), frame["motion_valid"].numpy()
    pair = (one["image_real"].numpy() for one in (frame, following))
    return estimated_motion(*pair, farneback=farneback)


def save(file: Path, clips: Sequence[Clip]) -> None:
    """Keeps clips for `load`; the file appears whole."""
    arrays = {
        f"{index}/{field.name}": getattr(clip, field.name)
        for index, clip in enumerate(clips)
        for field in fields(Clip)
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(file) as partial, open(partial, "wb") as stream:
        np.savez(stream, **arrays)


def load(file: Path) -> list[Clip] | None:
    """What `save` kept; None where it is missing or damaged."""
    try:
        with open(file, "rb") as stream, np.load(stream) as arrays:
            count = len({name.partition("/")[0] for name in arrays})
            return [
                Clip(**{f.name: _unpacked(arrays[f"{index}/{f.name}"]) for f in fields(Clip)})
                for index in range(count)
            ]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def _unpacked(array: np.ndarray) -> Any:
    return array if array.ndim else str(array)
