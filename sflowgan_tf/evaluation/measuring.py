"""Measures films frame by frame while they run by: numbers and features stay, pictures do not."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from typing import Any

import keras
import numpy as np

from sflowgan_tf.data.flow import estimated_motion
from sflowgan_tf.evaluation.frames import Frame, PaintFunction
from sflowgan_tf.evaluation.metrics import appearance
from sflowgan_tf.evaluation.metrics.diversity import diversity
from sflowgan_tf.evaluation.metrics.features import FeatureNetwork
from sflowgan_tf.evaluation.metrics.lights import compare_states
from sflowgan_tf.evaluation.metrics.paired import paired_scores
from sflowgan_tf.evaluation.metrics.segmentation import Confusion
from sflowgan_tf.evaluation.metrics.temporal import Steadiness
from sflowgan_tf.ops.settings import Farneback

VERSION = "4"  # of the measurements: those in the cache that are of another one are not used
PAIRED = ("l1", "psnr", "ssim", "perceptual")
TEMPORAL = ("warping_error", "flicker")
LOOK = tuple(field.name for field in fields(appearance.Look))


@dataclass(frozen=True, kw_only=True)
class Clip:
    """Measurements on consecutive frames; the array of what was not measured is empty.

    Attributes:
        sequence: name of the sequence that the frames belong to.
        frames: (frames,) int, their numbers in the sequence.
        paired: (frames, 4) float, l1, psnr, ssim and perceptual distance to the real frame.
        confusion: (frames, classes + 1, classes + 1) int64 pixels, as `Confusion.counts`.
        features: (frames, dimension) float32 of each picture.
        windows: (windows, dimension) float32 of each piece of the film, one after the other.
        temporal: (pairs, 2) float, warping error and flicker.
        diversity: (1,) float, of the clip's first scene.
        look: (frames, 4) float, the fields of `appearance.Look`.
        gradients: (frames, classes) float, sums of `appearance.gradients` over pixels of a class.
        colors: (frames, classes, 3, nodes) float32 pixels, as `appearance.color_histograms`.
        objects: (objects, 3) float: which of the clip's frames each is in, from 0, and the distance
            of its mean colour to that in the simulator's frame and in the real one, Lab units.
        lights: (frames, 2) int, traffic lights and those that show what the simulator's frame does.
    """

    sequence: str
    frames: np.ndarray
    paired: np.ndarray
    confusion: np.ndarray
    features: np.ndarray
    windows: np.ndarray
    temporal: np.ndarray
    diversity: np.ndarray
    look: np.ndarray
    gradients: np.ndarray
    colors: np.ndarray
    objects: np.ndarray
    lights: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Instruments:
    """What to measure with; None leaves a measurement out.

    Attributes:
        num_classes: of the label maps.
        segment: (batch, height, width, 3) uint8 RGB -> (batch, height, width) uint8 classes;
            numbers from num_classes on are none.
        features: network that describes pictures.
        clip_features: network that describes windows of films.
        window: frames in a window.
        vgg: network of the perceptual distances.
        farneback: settings of the flow, where the exact motion is not known.
        vgg_weights: "random", "imagenet", or name and hash of the file of `vgg`'s weights.
        appearance: whether to measure sharpness, colours and so on, which needs no network.
        traffic_light: index of that class, whose states are compared with the simulator's frame.
    """

    num_classes: int
    segment: Callable[[np.ndarray], np.ndarray] | None
    features: FeatureNetwork | None
    clip_features: FeatureNetwork | None
    window: int
    vgg: keras.Model | None
    farneback: Farneback | None
    vgg_weights: str = "random"
    appearance: bool = False
    traffic_light: int | None = None

    def measure(
        self,
        clips: Iterable[Iterator[Frame]],
        paint: PaintFunction,
        variations: PaintFunction | None = None,
        on_frame: Callable[[], object] = lambda: None,
    ) -> Iterator[Clip]:
        """Measures a film made of each clip of the reference, of `pipeline.sequences`.

        Args:
            clips: of the reference.
            paint: makes the film's pictures.
            variations: makes several of one scene, (count, height, width, 3) uint8 RGB; None leaves
                diversity out.
            on_frame: called after each frame.
        """
        for frames in clips:
            yield self._clip(frames, paint, variations, on_frame)

    def _clip(
        self,
        frames: Iterator[Frame],
        paint: PaintFunction,
        variations: PaintFunction | None,
        on_frame: Callable[[], object],
    ) -> Clip:
        rows: dict[str, list[Any]] = {field.name: [] for field in fields(Clip)[1:]}
        steadiness, window = Steadiness(), deque[np.ndarray](maxlen=self.window)
        before: tuple[Frame, np.ndarray] | None = None
        sequence = ""
        for index, frame in enumerate(frames):
            picture = paint(frame)
            sequence = frame["sequence"].numpy().decode()
            rows["frames"].append(int(frame["frame"]))
            self._look(frame, picture, rows)
            window.append(picture)
            if self.clip_features and (index + 1) % self.window == 0:
                rows["windows"].append(self.clip_features(np.stack(window)[None])[0])
            if before and self.farneback is not None:
                motion = _motion(before[0], frame, self.farneback)
                steadiness.update(before[1], picture, *motion)
            if variations and index == 0 and self.vgg:
                rows["diversity"].append(diversity(variations(frame), self.vgg))
            before = frame, picture
            on_frame()
        rows["temporal"] = [*zip(steadiness.warping_errors, steadiness.flickers, strict=True)]
        return Clip(sequence=sequence, **{name: np.array(values) for name, values in rows.items()})

    def _look(self, frame: Frame, picture: np.ndarray, rows: dict[str, list[Any]]) -> None:
        """Adds what is measured on a single picture."""
        if self.vgg:
            scores = paired_scores(picture, frame["image_real"].numpy(), self.vgg)
            rows["paired"].append([scores[name] for name in PAIRED])
        if self.segment:
            confusion = Confusion(self.num_classes)
            confusion.update(frame["labels"].numpy(), self.segment(picture[None])[0])
            rows["confusion"].append(confusion.counts)
        if self.features:
            rows["features"].append(self.features(picture[None])[0])
        if self.appearance:
            self._glance(frame, picture, rows)

    def _glance(self, frame: Frame, picture: np.ndarray, rows: dict[str, list[Any]]) -> None:
        """Adds the appearance of a single picture."""
        labels = frame["labels"].numpy()
        rows["look"].append(astuple(appearance.Look.of(picture)))
        gradients = appearance.gradients(picture)
        rows["gradients"].append(appearance.class_sums(gradients, labels, self.num_classes))
        rows["colors"].append(appearance.color_histograms(picture, labels, self.num_classes))
        instances = frame["instances"].numpy() if "instances" in frame else None
        objects = appearance.Objects.of(labels, instances, self.num_classes)
        colors = objects.colors(picture)
        distances = [
            np.linalg.norm(colors - objects.colors(frame[name].numpy()), axis=1)
            for name in ("image_cg", "image_real")
        ]
        index = len(rows["frames"]) - 1
        rows["objects"] += [(index, *pair) for pair in zip(*distances, strict=True)]
        if self.traffic_light is not None:
            source = frame["image_cg"].numpy()
            rows["lights"].append(
                astuple(compare_states(labels, source, picture, self.traffic_light))
            )


def _motion(frame: Frame, following: Frame, farneback: Farneback) -> tuple[np.ndarray, np.ndarray]:
    """Flow and mask from one frame to the next: exact where known, or that of the real film."""
    if "motion" in frame:
        return frame["motion"].numpy(), frame["motion_valid"].numpy()
    pair = (one["image_real"].numpy() for one in (frame, following))
    return estimated_motion(*pair, farneback=farneback)
