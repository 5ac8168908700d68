"""From a configuration to a segmenter, network and optimizer; and back from a run on disk."""

from pathlib import Path

import keras

from sflowgan_tf import config as settings
from sflowgan_tf.config import Config
from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.evaluation.segmenting.segmenter import Segmenter, balanced
from sflowgan_tf.networks.pspnet import PSPNet
from sflowgan_tf.networks.small_pspnet import SmallPSPNet
from sflowgan_tf.training.assembly.restored import restore
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.errors import prefixed


def network(config: Config, num_classes: int, dtype: str = "float32") -> PSPNet | SmallPSPNet:
    """The configured segmenter's network, built with a policy of Keras, a trunk not yet filled.

    Raises:
        UserError: it can't be made with these settings.
    """
    c = config.segmenter
    with prefixed("segmenter."):
        if c.kind == "small":
            network = SmallPSPNet(num_classes, c.filters, dtype=dtype)
        else:
            options = {"is_pretrained": c.weights != "random", "dtype": dtype}
            network = PSPNet(num_classes, c.filters, c.units, **options)
    network.build((None, None, None, 3))
    return network


def segmenter(config: Config, folder: Path, manifest: Manifest, total_steps: int) -> Segmenter:
    """Network and optimizer, built, a trunk not yet filled; needs `reproducible` before it.

    Classes are counted in the records of `folder` where they are to be balanced. The learning rate
    is 0 after `total_steps`.

    Raises:
        UserError: the network can't be made with these settings.
    """
    c = config.segmenter
    weights = None
    if c.class_balance:
        weights = balanced(pipeline.class_pixels(folder, manifest, "train"), c.class_balance)
    joined = Segmenter(
        network(config, manifest.classes.num_classes, config.precision),
        auxiliary_weight=c.auxiliary,
        class_weights=weights,
    )
    rate = keras.optimizers.schedules.PolynomialDecay(
        c.learning_rate, max(total_steps, 1), end_learning_rate=0.0, power=0.9
    )
    if c.optimizer == "adam":
        optimizer = keras.optimizers.AdamW(rate, weight_decay=c.weight_decay)
    else:
        optimizer = keras.optimizers.SGD(rate, momentum=c.momentum, weight_decay=c.weight_decay)
    joined.compile(optimizer, jit_compile=config.jit_compile)
    return joined


def restored(run: Run) -> tuple[Segmenter, Manifest, int]:
    """The segmenter of a run on disk, the manifest of its records, and its step.

    Raises:
        UserError: the run is none of `segment`, or has no checkpoint yet.
    """
    config, manifest = settings.read(run.config), Manifest.load(run.manifest)
    segmenting = network(config, manifest.classes.num_classes)
    step = restore(run, "segmentation", network=segmenting)
    return Segmenter(segmenting, auxiliary_weight=0.0, class_weights=None), manifest, step
