"""The scene that a network sees: one-hot labels beside edges."""

from typing import Any

from keras import ops


def scene(labels, edges, num_classes: int):
    """What the generator sees: one-hot labels, then the edge map.

    Args:
        labels: (batch, height, width) integer indices 0..C-1 or VOID.
        edges: (batch, height, width, 1) floating in [0, 1]; gradients pass through it.
        num_classes: C.

    Returns:
        (batch, height, width, C + 1) float32. A VOID pixel has an all-zero one-hot part.
    """
    indices: Any = ops.cast(labels, "int32")
    one_hot = ops.cast(
        ops.equal(indices[..., None], ops.arange(num_classes, dtype="int32")), "float32"
    )
    return ops.concatenate([one_hot, ops.cast(edges, "float32")], axis=-1)
