"""How long the differentiable flow takes, as a ratio to OpenCV's.

From the repository's root:

    python -m benchmarks.flow [--size 512x256]

One call each in turn, so that what else the machine does meets both; the table gives the quartiles
of the ratio over all rounds.
"""

import argparse
import time
from collections.abc import Callable

from sflowgan_tf import config as settings
from sflowgan_tf.ops.settings import Farneback
from sflowgan_tf.utils.quiet import import_tensorflow

import_tensorflow()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from sflowgan_tf import minicity  # noqa: E402
from sflowgan_tf.data import flow as opencv  # noqa: E402
from sflowgan_tf.ops.flow import dense_flow  # noqa: E402

FARNEBACK = Farneback()


@tf.function
def forward(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """The flow."""
    return dense_flow(first, second, FARNEBACK)


@tf.function
def with_gradient(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """The gradient of the mean absolute flow in both frames."""
    with tf.GradientTape() as tape:
        tape.watch([first, second])
        loss = tf.reduce_mean(tf.abs(forward(first, second)))
    return tf.stack(tape.gradient(loss, [first, second]))


def seconds(call: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flow")
    parser.add_argument("--size", default="512x256", metavar="WxH", help="of the frames; 512x256")
    parser.add_argument("--rounds", type=int, default=30, metavar="N", help="of all calls; 30")
    parsed = parser.parse_args()
    size = settings.size(parsed.size, "--size")
    images = [frame.image_real for frame in minicity.sequence(0, 0, 2, size)]
    tensors = [tf.constant(image[None], tf.float32) for image in images]
    calls = {
        "OpenCV": lambda: opencv.dense_flow(*images, FARNEBACK),
        "forward": lambda: forward(*tensors).numpy(),
        "forward and backward": lambda: with_gradient(*tensors).numpy(),
    }
    for call in calls.values():
        call()
    rounds = [[seconds(call) for call in calls.values()] for _ in range(parsed.rounds)]
    times = np.array(rounds) * 1000
    print("| | ms, median | ratio to OpenCV: quartiles |\n|---|---|---|")
    for name, column in zip(calls, times.T, strict=True):
        low, middle, high = np.percentile(column / times[:, 0], [25, 50, 75])
        print(f"| {name} | {np.median(column):.1f} | {low:.2f}, {middle:.2f}, {high:.2f} |")


if __name__ == "__main__":
    main()
