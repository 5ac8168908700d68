"""Networks that describe a picture or a clip by a vector, for the distances between sets of them.

Each has a name, the name of its weights, and that of its resizer: distances compare only where all
three are equal.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from sflowgan_tf.evaluation.metrics.saved_networks import vectors_of
from sflowgan_tf.networks.hed import HEDFeatures, weights_file
from sflowgan_tf.networks.pretrained import pretrained
from sflowgan_tf.ops.images import to_signed

_INCEPTION, _I3D = (299, 299), (224, 224)
_FRAMES = tf.TensorSpec([None, None, None, 3], tf.uint8)
_CLIPS = tf.TensorSpec([None, None, None, None, 3], tf.uint8)


@dataclass(frozen=True, kw_only=True)
class FeatureNetwork:
    """A network that turns pictures, or clips, into vectors.

    Attributes:
        name: of the network, for the report and metrics.json.
        weights: "imagenet", or the file's name and its content's hash.
        resizer: how pictures are brought to its size; "none" where it takes any.
        dimension: of the vectors.
        features: the function behind `__call__`.
    """

    name: str
    weights: str
    resizer: str
    dimension: int
    features: Callable[[np.ndarray], np.ndarray]

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Vectors (batch, dimension) float32 of frames (batch, height, width, 3) uint8 RGB.

        For a network of clips they are (batch, time, height, width, 3).
        """
        return self.features(frames)


class Describes(Protocol):
    """A segmenter whose features can be had."""

    def features(self, images: Any) -> Any:
        """(batch, h, w, channels) features before the last classifier of images in [-1, 1]."""
        ...


def weights_of(weights_from: str | Path) -> str:
    """Name of weights for a report: "imagenet" and "random" as they are.

    Otherwise the name of the file or folder with 12 digits of its content's SHA-256; of a folder
    the names and contents of all files count.
    """
    path = Path(weights_from)
    if not path.exists():
        return str(weights_from)
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            digest.update(str(file.relative_to(path)).encode() + b"\0")
            with open(file, "rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return f"{path.name} (sha256 {digest.hexdigest()[:12]})"


def saved_model_features(path: Path) -> FeatureNetwork:
    """A SavedModel that describes pictures: for the standard FID the Inception of 2015, pool_3.

    Args:
        path: its folder. It must take float32 RGB in [-1, 1] of shape (batch, 299, 299, 3) or of
            any size, and return one vector a picture. The range stands in no signature, so it is
            not checked.

    Raises:
        UserError: there is no such SavedModel there.

    Source: the resizer is the one that Parmar et al., "On Aliased Resizing and Surprising
    Subtleties in GAN Evaluation", CVPR 2022, recommend: Pillow's bicubic, whose kernel grows with
    the reduction, without rounding.
    """
    vectors = vectors_of(path, (None, *_INCEPTION, 3))
    return _inception("Inception of a SavedModel", weights_of(path), vectors)


def imagenet_features(weights: str, *, setting: str) -> FeatureNetwork:
    """keras.applications' InceptionV3, averaged over the picture. It is not the Inception of FID.

    Args:
        weights: "imagenet" (downloaded), or a weights file of
            `keras.applications.InceptionV3(include_top=False)`.
        setting: the flag or key that holds `weights`, for the message.

    Raises:
        UserError: the weights cannot be had, or do not fit.

    Source: resizer as in `saved_model_features`.
    """
    file = "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
    network = pretrained("InceptionV3", weights, file=file, setting=setting)
    return _inception(
        "InceptionV3 of keras.applications, ImageNet",
        weights_of(weights),
        lambda images: tf.reduce_mean(network(images, training=False), axis=(1, 2)),
    )


def _inception(name: str, weights: str, vectors: Callable[[Any], tf.Tensor]) -> FeatureNetwork:
    @tf.function(input_signature=[_FRAMES])
    def features(frames):
        # bicubic ones go a little beyond [-1, 1]
        return vectors(tf.image.resize(to_signed(frames), _INCEPTION, "bicubic", antialias=True))

    return _network(name, weights, "bicubic, antialias, 299x299", features, (1, 8, 8, 3))


def hed_features() -> FeatureNetwork:
    """The VGG16 of the released HED, which learnt ImageNet, then edges. No Inception of any FID.

    The mean over the picture of each of the 256 channels of relu3_3. They were chosen as those of
    `segmenter_features`, by how far the Frechet distance between two halves of 200 frames of
    minicity (128x64) rises when one half is damaged, in standard deviations over ways to halve
    them; and by how many times the simulator's frames are as far as equal sets:

    | mean of | numbers | noise | darker | JPEG | blur | simulator's |
    |---|---|---|---|---|---|---|
    | relu1_2 | 64 | 0.1 | 0.1 | 0.3 | 6.6 | 23 times |
    | relu2_2 | 128 | 1.0 | 0.9 | 7.6 | 39 | 111 |
    | relu3_3 | 256 | 2.2 | 0.5 | 20 | 43 | 97 |
    | relu3_3, and standard deviation | 512 | 1.6 | 0.4 | 12 | 25 | 51 |
    | relu4_3 | 512 | 3.5 | 0.2 | 28 | 37 | 23 |
    | relu3_3 and relu4_3 | 768 | 3.0 | 0.3 | 25 | 41 | 32 |

    They see texture and structure far better than the brightness of all.

    Raises:
        UserError: the weights cannot be had.
    """
    network = HEDFeatures(slices=3)
    network.build((None, None, None, 3))

    @tf.function(input_signature=[_FRAMES])
    def features(frames):
        return tf.reduce_mean(network(to_signed(frames))[-1], axis=(1, 2))

    return _network(
        "VGG16 of HED (mean of relu3_3)",
        weights_of(weights_file()),
        "none",
        features,
        (1, 32, 32, 3),
    )


def segmenter_features(network: Describes, *, weights: str) -> FeatureNetwork:
    """A segmenter's own features, those before its last classifier.

    Each channel's mean and standard deviation over the picture. They were chosen by how far the
    Frechet distance between two halves of 300 unseen frames of minicity (128x64, 16 channels) rises
    when one half is damaged, in standard deviations over ways to halve them:

    | | noise of 4 levels | darker by 3 % | JPEG 50 | blur of 0.7 pixels |
    |---|---|---|---|---|
    | mean | 2.8 | 1.1 | 1.2 | 6.0 |
    | mean and standard deviation | 3.8 | 3.4 | 3.3 | 4.5 |
    | means of 2x2 cells | 1.0 | 0.6 | 0.6 | 2.2 |

    Cells also say where things are, but have more numbers than a covariance can be estimated of
    from a few hundred frames: the distance of equal sets rises from 0.06 to 0.6, of 4x4 cells to
    8.7.

    Args:
        network: built.
        weights: name of its weights (`weights_of`).

    The distances hold for the segmenter's classes, size of frames and training alone.
    """

    @tf.function  # one trace a size: not every network can be traced for unknown ones
    def features(frames):
        maps = tf.cast(network.features(to_signed(frames)), tf.float32)
        mean, variance = tf.nn.moments(maps, axes=(1, 2))
        return tf.concat([mean, tf.sqrt(variance)], axis=-1)

    name = "segmenter's own features (mean and standard deviation)"
    return _network(name, weights, "none", features, (1, 32, 32, 3))


def saved_model_clip_features(path: Path) -> FeatureNetwork:
    """A SavedModel that describes clips: for the standard FVD the I3D of Kinetics-400.

    Args:
        path: its folder. It must take float32 RGB in [-1, 1] of shape (batch, time, 224, 224, 3),
            any number of frames, and give one vector a clip (FVD takes the 400 logits).

    Raises:
        UserError: there is no such SavedModel there.

    Source: Unterthiner et al., "Towards Accurate Generative Models of Video", 2018; the resizer
    (bilinear, no prefilter) and the range are those of their code.
    """
    vectors = vectors_of(path, (None, None, *_I3D, 3))

    @tf.function(input_signature=[_CLIPS])
    def features(clips):
        batch, time, height, width = tf.unstack(tf.shape(clips)[:4])
        frames = tf.reshape(clips, (batch * time, height, width, 3))
        images = tf.image.resize(to_signed(frames), _I3D, "bilinear")
        return vectors(tf.reshape(images, (batch, time, *_I3D, 3)))

    return _network(
        "I3D of a SavedModel", weights_of(path), "bilinear, 224x224", features, (1, 10, 8, 8, 3)
    )


def clip_features(frame_features: FeatureNetwork) -> FeatureNetwork:
    """Clips described by their frames' features, for a machine without a network of videos.

    The mean over the clip describes the scene, the mean absolute difference from one frame to the
    next how much of it changes: flicker raises it, motion too. The vectors are twice as long as a
    frame's; clips have at least 2 frames. Not comparable to FVD.
    """

    def of_clip(features: np.ndarray) -> np.ndarray:
        if len(features) < 2:
            raise ValueError(f"clips: expected at least 2 frames, got {len(features)}")
        return np.concatenate([features.mean(0), np.abs(np.diff(features, axis=0)).mean(0)])

    return FeatureNetwork(
        name=f"{frame_features.name}: mean over the clip and mean absolute change between frames",
        weights=frame_features.weights,
        resizer=frame_features.resizer,
        dimension=2 * frame_features.dimension,
        features=lambda clips: np.stack([of_clip(frame_features(clip)) for clip in clips]),
    )


def _network(name, weights, resizer, features, shape) -> FeatureNetwork:
    """A network whose dimension is that of `features` of black pictures of `shape`."""
    return FeatureNetwork(
        name=name,
        weights=weights,
        resizer=resizer,
        dimension=features(tf.zeros(shape, tf.uint8)).shape[-1],
        features=lambda frames: features(tf.constant(frames)).numpy(),
    )
