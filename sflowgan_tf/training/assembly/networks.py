"""The configured networks, built, with fresh weights.

Their `dtype` is a policy of Keras: float32 to paint, a run's `precision` to train.
"""

from typing import Any

from sflowgan_tf.config import Config
from sflowgan_tf.networks.discriminator import Discriminator, FilmDiscriminator
from sflowgan_tf.networks.dned import DNED
from sflowgan_tf.networks.generator import GlobalGenerator, LocalEnhancer
from sflowgan_tf.networks.hed import HEDFeatures
from sflowgan_tf.networks.sequential import SequentialGenerator
from sflowgan_tf.networks.unet import UNet
from sflowgan_tf.networks.vgg import VGG19Features
from sflowgan_tf.training.gan.sequential_gan import FILM_CHANNELS


def generator(
    config: Config, num_classes: int, dtype: str = "float32"
) -> GlobalGenerator | LocalEnhancer | UNet | SequentialGenerator:
    """The configured generator, built for that many classes, an edge map and, if set, colours."""
    c = config.generator
    colors = config.appearance.kind == "regions"
    if c.kind == "global":
        network = GlobalGenerator(
            filters=c.filters,
            downsamplings=c.downsamplings,
            blocks=c.blocks,
            upsampling=c.upsampling,
            separable=c.separable,
            skips=c.skips,
            colors=colors,
            grain=c.grain,
            dtype=dtype,
        )
    elif c.kind == "unet":
        network = UNet(filters=c.filters, downsamplings=c.downsamplings, dtype=dtype)
    elif c.kind == "sequential":
        network = SequentialGenerator(
            filters=c.filters,
            downsamplings=c.downsamplings,
            blocks=c.blocks,
            upsampling=c.upsampling,
            dtype=dtype,
        )
    else:
        network = LocalEnhancer(
            filters=c.filters // 2,
            downsamplings=c.downsamplings,
            blocks=c.enhancer_blocks,
            global_blocks=c.blocks,
            upsampling=c.upsampling,
            colors=colors,
            grain=c.grain,
            dtype=dtype,
        )
    network.build((None, None, None, num_classes + 1 + 3 * colors))
    return network


def dned(config: Config, dtype: str = "float32") -> DNED:
    """The configured edge network, built for edge maps or pictures, and filled."""
    c = config.dned
    network = DNED(filters=c.filters, weights_from=c.weights, dtype=dtype)
    network.build((None, None, None, 3 if c.sees == "image" else 1))
    network.trainable = c.trained
    return network


def discriminator(config: Config, num_classes: int, dtype: str = "float32") -> Discriminator:
    """The configured discriminator, built for labels, an image and, if it sees them, edges."""
    c = config.discriminator
    settings: dict[str, Any] = {
        "num_scales": c.num_scales,
        "filters": c.filters,
        "depth": c.depth,
        "spectral_norm": c.spectral_norm,
        "dtype": dtype,
    }
    if config.generator.kind == "sequential":
        network = FilmDiscriminator(FILM_CHANNELS, **settings)
    else:
        network = Discriminator(**settings)
    network.build((None, None, None, num_classes + 3 + c.sees_edges))
    return network


def features(config: Config, dtype: str = "float32") -> VGG19Features | HEDFeatures:
    """The configured perceptual network, built and filled."""
    c = config.perceptual
    if c.network == "hed":
        network = HEDFeatures(slices=c.slices, dtype=dtype)
    else:
        network = VGG19Features(
            c.weights, slices=c.slices, filters=c.filters, seed=config.seed, dtype=dtype
        )
    network.build((None, None, None, 3))
    return network
