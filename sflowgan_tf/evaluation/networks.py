"""The networks that an evaluation measures with, from the names that a user knows them by."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from sflowgan_tf.evaluation.measuring import Instruments
from sflowgan_tf.evaluation.metrics.features import (
    FeatureNetwork,
    clip_features,
    hed_features,
    imagenet_features,
    saved_model_clip_features,
    saved_model_features,
    segmenter_features,
    weights_of,
)
from sflowgan_tf.evaluation.reference import Reference
from sflowgan_tf.evaluation.segmenting.judges import Judge
from sflowgan_tf.networks import hed
from sflowgan_tf.networks.hed import HEDFeatures
from sflowgan_tf.networks.vgg import VGG19Features
from sflowgan_tf.utils.errors import UserError

FEWEST_OF_I3D = 9  # frames in the shortest clip that I3D takes
_WINDOW = 12  # frames of a clip for FVD, where the films are as long
_TRAFFIC_LIGHT = "traffic light"  # in the class tables
_RANDOM_FILTERS = 16  # of the random VGG that measures distances


def instruments(
    reference: Reference,
    groups: Collection[str],
    *,
    judge: Judge | None,
    features: str,
    inception: str | None,
    i3d: Path | None,
    vgg: str,
) -> Instruments:
    """The instruments that groups of metrics need, as far as there are networks for them.

    Args:
        reference: that will be measured.
        groups: of the metrics, some of `result.GROUPS`.
        judge: the segmenter.
        features: "hed" or "segmenter", whose serve for FID without `inception`.
        inception: SavedModel, "imagenet" or a weights file of it, for FID.
        i3d: SavedModel for FVD; without one the features of frames serve.
        vgg: "hed", "random", "imagenet" or a weights file, for perceptual distances.

    Raises:
        UserError: a network is not there or does not fit.
    """
    frames = clips = None
    window = min(_WINDOW, reference.clip_length)
    if "distribution" in groups:
        frames = _frame_network(features, inception, judge)
        clips = _clip_network(i3d, frames, window)
    return Instruments(
        num_classes=reference.manifest.classes.num_classes,
        segment=judge.segment if judge and "segmentation" in groups else None,
        features=frames,
        clip_features=clips,
        window=window,
        vgg=_vgg(vgg) if {"paired", "diversity"} & {*groups} else None,
        farneback=reference.manifest.flow if "temporal" in groups else None,
        vgg_weights=weights_of(hed.weights_file() if vgg == "hed" else vgg),
        appearance="appearance" in groups,
        traffic_light=_traffic_light(reference),
    )


def _traffic_light(reference: Reference) -> int | None:
    """The index of the class; None without simulator's frames to compare its states with."""
    names = reference.manifest.classes.names
    is_known = _TRAFFIC_LIGHT in names and reference.manifest.has_cg
    return [*names].index(_TRAFFIC_LIGHT) if is_known else None


def perceptual_name(instruments: Instruments) -> str:
    """The name of the network of the perceptual distances."""
    weights = instruments.vgg_weights
    if isinstance(instruments.vgg, HEDFeatures):
        return f"VGG16 of HED ({weights})"
    if weights == "random":
        return f"VGG19 ({weights}, {_RANDOM_FILTERS} filters, seed 0)"
    return f"VGG19 ({weights})"


def _frame_network(features: str, inception: str | None, judge: Judge | None) -> FeatureNetwork:
    if inception is not None and Path(inception).is_dir():
        return saved_model_features(Path(inception))
    if inception is not None:
        return imagenet_features(inception, setting="--inception")
    if features == "hed":
        return hed_features()
    if judge is None or judge.network is None:
        raise UserError(
            "--features segmenter: needs a --segmenter of ours, a run of `segment fit`; name one, "
            "or leave --features out"
        )
    return segmenter_features(judge.network, weights=judge.weights)


def _clip_network(i3d: Path | None, frames: FeatureNetwork, window: int) -> FeatureNetwork | None:
    """Describes clips of `window` frames; None where they are too few."""
    if i3d is not None:
        network = saved_model_clip_features(i3d)
        return network if window >= FEWEST_OF_I3D else None
    return clip_features(frames) if window > 1 else None


def _vgg(weights: str) -> VGG19Features | HEDFeatures:
    if weights == "hed":
        network = HEDFeatures(slices=5)
        network.build((None, None, None, 3))
        return network
    filters = _RANDOM_FILTERS if weights == "random" else 64
    network = VGG19Features(weights, filters=filters, seed=0)
    try:
        network.build((None, None, None, 3))
    except UserError as error:
        raise UserError(f"--vgg: {str(error).replace('perceptual.weights', '--vgg')}") from None
    return network
