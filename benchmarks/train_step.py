"""The joint training step against the same update done network by network.

Both run in turns in one process, so that what else the machine does hits both alike; the ratio of
the medians counts. From the repository's root:

    python -m benchmarks.train_step
"""

import statistics
import time
from pathlib import Path

from sflowgan_tf import config as settings
from sflowgan_tf.utils.quiet import import_tensorflow

import_tensorflow()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from sflowgan_tf import losses  # noqa: E402
from sflowgan_tf.ops import images  # noqa: E402
from sflowgan_tf.ops.classes import TABLES  # noqa: E402
from sflowgan_tf.ops.ensemble import ensemble  # noqa: E402
from sflowgan_tf.ops.network_input import network_input  # noqa: E402
from sflowgan_tf.training import assembly  # noqa: E402
from sflowgan_tf.training.gan.image_gan import ImageGAN  # noqa: E402

TABLE, ROUNDS = TABLES["synthia"], 15
CLASSES = TABLE.num_classes


def plain_step(gan: ImageGAN, batch: dict[str, tf.Tensor]) -> None:
    """First D, then G and DNED, each with forward passes of its own; no moving average."""
    real = images.to_signed(batch["image_real"])
    edges = tf.cast(batch["edges"], tf.float32)
    weights = gan.ensemble_weights(tf.shape(edges)[0])

    def judge(image):
        return gan.discriminator(tf.concat([tf.one_hot(batch["labels"], CLASSES), image], -1))

    def paint():
        shown = ensemble(gan.dned(edges), weights)
        return gan.generator(network_input(batch["labels"], shown, CLASSES))

    def logits(maps):
        return [scale[-1] for scale in maps]

    with tf.GradientTape() as tape:
        judged = logits(judge(real)), logits(judge(tf.stop_gradient(paint())))
        loss = losses.discriminator_loss(*judged, gan.objective.losses.gan)
    judge_variables = gan.discriminator.trainable_variables
    gradients = tape.gradient(loss, [v.value for v in judge_variables])
    gan.discriminator_optimizer.apply(gradients, judge_variables)

    with tf.GradientTape() as tape:
        fake = paint()
        judged_fake = judge(fake)
        loss = (
            losses.generator_loss(logits(judged_fake), gan.objective.losses.gan)
            + 10 * losses.feature_matching_loss(judge(real), judged_fake)
            + 10 * losses.perceptual_loss(gan.features(real), gan.features(fake))
            + losses.dned_loss(gan.dned(edges), edges, weights)
        )
    painters = gan.generator.trainable_variables
    variables = painters + gan.dned.trainable_variables
    gradients = tape.gradient(loss, [v.value for v in variables])
    gan.generator_optimizer.apply(gradients[: len(painters)], painters)
    gan.dned_optimizer.apply(gradients[len(painters) :], gan.dned.trainable_variables)


def main() -> None:
    """Times both on the networks of `minicity-tables` at 256x128, in phase `dned`."""
    epochs = assembly.sequence([("dned", 1000)])
    config = settings.load("minicity", Path("minicity-tables"))
    gan = assembly.gan(config, TABLE, epochs)
    gan.enter_phase("dned")
    draw = np.random.default_rng(0)
    batch = {
        "labels": tf.constant(draw.integers(0, CLASSES, (1, 128, 256)), tf.uint8),
        "edges": tf.constant(draw.integers(0, 2, (1, 128, 256, 1)), tf.uint8),
        "image_real": tf.constant(draw.integers(0, 256, (1, 128, 256, 3)), tf.uint8),
    }
    steps = {
        "joint": tf.function(lambda: gan.train_step(batch)),
        "network by network": tf.function(lambda: plain_step(gan, batch)),
    }
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        step()
    for _ in range(ROUNDS):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            taken[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    for name, seconds in medians.items():
        print(f"{name}: {seconds * 1000:.0f} ms a step")
    print(f"ratio: {medians['joint'] / medians['network by network']:.2f}")


if __name__ == "__main__":
    main()
