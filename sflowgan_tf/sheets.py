"""The sheets of pictures that show how a training does."""

from typing import Any

import numpy as np
import tensorflow as tf

from sflowgan_tf.data.flow import dense_flow
from sflowgan_tf.ops.flow_colors import flow_to_color
from sflowgan_tf.ops.images import contact_sheet
from sflowgan_tf.ops.labels import ClassTable
from sflowgan_tf.serving import Translator

_FINE, _COARSE = (0, 1, 5), (2, 3, 4)  # side outputs; the last one is the fused one
_SPARSE, _FAVOURED = 0.2, 5.0  # concentrations of the Dirichlet distribution


def ensemble_weights(count: int, seed: int) -> np.ndarray:
    """Weights of the DNED's side outputs for variations of a scene.

    Args:
        count: how many; the first is equal weights, the others are drawn.
        seed: of the draws; more variations of the same seed begin with the same ones.

    Returns:
        (count, 6) float32, rows that sum to 1.

    Source: S-Flow GAN, sec. 3.2: "By changing the weights of that ensemble, we can generate the
    desired variability". The distribution is our choice: Dirichlet, each draw favouring another
    side output than the five before it, since mixtures of all six look alike; the coarse ones
    come first, since they differ most from each other and from equal weights.
    """
    generator = np.random.default_rng(seed)
    favourites = [*generator.permutation(_COARSE), *generator.permutation(_FINE)]
    drawn = [
        generator.dirichlet(_SPARSE + _FAVOURED * (np.arange(6) == favourites[i % 6]))
        for i in range(count - 1)
    ]
    return np.array([[1 / 6] * 6, *drawn], np.float32)


def scenes(
    translator: Translator, table: ClassTable, frames: list[dict[str, tf.Tensor]], redraw: bool
) -> np.ndarray:
    """One row a frame: labels, CG edges, DNED edges, result, real.

    Args:
        translator: of the training.
        table: the classes' colours.
        frames: of `pipeline.frames`.
        redraw: whether the result is painted from the DNED's edges or from the Laplacian's.
    """
    equal, rows = tf.constant(ensemble_weights(1, 0)), []
    for frame in frames:
        edges = tf.cast(frame["edges_cg"], tf.float32)
        redrawn = translator.redraw(edges[None], equal)
        painted = translator.paint(frame["labels"][None], redrawn if redraw else edges[None])
        pictures = [
            table.colorize(frame["labels"].numpy()),
            frame["image_cg"],
            edges,
            redrawn[0],
            painted[0],
            frame["image_real"],
        ]
        rows.append([np.asarray(picture) for picture in pictures])
    return contact_sheet(
        rows, ["labels", "given frame", "Laplacian edges", "DNED edges", "result", "real"]
    )


def variations(translator: Translator, frame: dict[str, tf.Tensor], seed: int) -> np.ndarray:
    """Four versions of one scene and, above them, the edge maps that made them."""
    weights = tf.constant(ensemble_weights(4, seed))
    edges = tf.repeat(tf.cast(frame["edges_cg"], tf.float32)[None], 4, axis=0)
    redrawn = translator.redraw(edges, weights)
    painted = translator.paint(tf.repeat(frame["labels"][None], 4, axis=0), redrawn)
    rows = [list(redrawn.numpy()), list(painted.numpy())]
    return contact_sheet(rows, ["equal weights", "variation 1", "variation 2", "variation 3"])


def painted(translator: Translator, drive: list[dict[str, tf.Tensor]]) -> np.ndarray:
    """Consecutive frames, painted from the DNED's edges with equal weights.

    Args:
        translator: of the training.
        drive: of `pipeline.drive`.

    Returns:
        (frames, height, width, 3) uint8 RGB.
    """
    equal = tf.constant(ensemble_weights(1, 0))
    pictures = []
    for frame in drive:
        edges = translator.redraw(tf.cast(frame["edges_cg"], tf.float32)[None], equal)
        pictures.append(translator.paint(frame["labels"][None], edges)[0])
    return np.stack(pictures)


def film(drive: list[dict[str, tf.Tensor]], pictures: np.ndarray) -> np.ndarray:
    """Given frame, result and real frame beside each other, (frames, height, width, 3) uint8."""
    given, real = (np.stack([f[name] for f in drive]) for name in ("image_cg", "image_real"))
    return np.concatenate([given, pictures, real], axis=2)


def flow(
    drive: list[dict[str, tf.Tensor]], pictures: np.ndarray, farneback: dict[str, Any]
) -> np.ndarray:
    """One row a pair of frames: real, its flow, the flow of the result, result.

    Both flows of a row have the same scale of colours.
    """
    rows = []
    for index in range(min(len(drive) - 1, 4)):
        real = np.stack([f["image_real"] for f in drive[index : index + 2]])
        fake = pictures[index : index + 2]
        flows = np.stack([dense_flow(*pair, **farneback) for pair in (real, fake)])
        rows.append([real[0], *flow_to_color(flows), fake[0]])
    return contact_sheet(rows, ["real", "flow of the real", "flow of the result", "result"])
