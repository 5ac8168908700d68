"""The networks that an evaluation measures with, from the names that a user knows them by."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from sflowgan_tf.evaluation.measuring import Instruments
from sflowgan_tf.evaluation.metrics import features
from sflowgan_tf.evaluation.metrics.features import FeatureNetwork
from sflowgan_tf.evaluation.reference import Reference
from sflowgan_tf.evaluation.segmenting.judges import Judge
from sflowgan_tf.networks.vgg import VGG19Features
from sflowgan_tf.utils.errors import UserError

FEWEST_OF_I3D = 9  # frames in the shortest clip that I3D takes
_WINDOW = 12  # frames of a clip for FVD, where the films are as long
_RANDOM_FILTERS = 16  # of the random VGG that measures distances


def instruments(
    reference: Reference,
    groups: Collection[str],
    *,
    judge: Judge | None,
    inception: str | None,
    i3d: Path | None,
    vgg: str,
) -> Instruments:
    """The instruments that groups of metrics need, as far as there are networks for them.

    Args:
        reference: that will be measured.
        groups: of the metrics, some of `result.GROUPS`.
        judge: the segmenter; without `inception` its features serve for FID.
        inception: SavedModel, "imagenet" or a weights file of it, for FID.
        i3d: SavedModel for FVD; without one the features of frames serve.
        vgg: "random", "imagenet" or a weights file, for perceptual distances.

    Raises:
        UserError: a network is not there or does not fit.
    """
    frames = clips = None
    window = min(_WINDOW, reference.clip_length)
    if "distribution" in groups:
        frames = _frame_network(inception, judge)
        clips = _clip_network(i3d, frames, window)
    return Instruments(
        num_classes=reference.manifest.classes.num_classes,
        segment=judge.segment if judge and "segmentation" in groups else None,
        features=frames,
        clip_features=clips,
        window=window,
        vgg=_vgg(vgg) if {"paired", "diversity"} & {*groups} else None,
        farneback=reference.manifest.flow if "temporal" in groups else None,
        vgg_weights=features.weights_of(vgg),
    )


def perceptual_name(instruments: Instruments) -> str:
    """The name of the network of the perceptual distances."""
    weights = instruments.vgg_weights
    filters = f", {_RANDOM_FILTERS} filters, seed 0" if weights == "random" else ""
    return f"VGG19 ({weights}{filters})"


def _frame_network(inception: str | None, judge: Judge | None) -> FeatureNetwork | None:
    if inception is None:
        if judge is None or judge.network is None:
            return None
        return features.segmenter_features(judge.network, weights=judge.weights)
    if Path(inception).is_dir():
        return features.saved_model_features(Path(inception))
    return features.imagenet_features(inception, setting="--inception")


def _clip_network(
    i3d: Path | None, frames: FeatureNetwork | None, window: int
) -> FeatureNetwork | None:
    """Describes clips of `window` frames; None where they are too few, or nothing does."""
    if i3d is not None:
        network = features.saved_model_clip_features(i3d)
        return network if window >= FEWEST_OF_I3D else None
    return features.clip_features(frames) if frames and window > 1 else None


def _vgg(weights: str) -> VGG19Features:
    filters = _RANDOM_FILTERS if weights == "random" else 64
    network = VGG19Features(weights, filters=filters, seed=0)
    try:
        network.build((None, None, None, 3))
    except UserError as error:
        raise UserError(f"--vgg: {str(error).replace('perceptual.weights', '--vgg')}") from None
    return network
