"""The scene that a network sees: one-hot labels beside edges."""

from keras import ops

from sflowgan_tf.ops import preprocessing


def network_input(labels, edges, num_classes: int):
    """What the generator sees: one-hot labels, then the edge map.

    Args:
        labels: (batch, height, width) integer indices 0..C-1 or VOID.
        edges: (batch, height, width, 1) floating in [0, 1]; gradients pass through it.
        num_classes: C.

    Returns:
        (batch, height, width, C + 1) float32. A VOID pixel has an all-zero one-hot part.
    """
    one_hot = preprocessing.one_hot(labels, num_classes, ops)
    return ops.concatenate([one_hot, ops.cast(edges, "float32")], axis=-1)
