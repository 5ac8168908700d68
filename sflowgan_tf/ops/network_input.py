"""The scene that a network sees: one-hot labels beside edges and, where it takes them, colours."""

from keras import ops

from sflowgan_tf.ops import preprocessing


def network_input(labels, edges, num_classes: int, colors=None):
    """What the generator sees: one-hot labels, then the edge map, then the colours.

    Args:
        labels: (batch, height, width) integer indices 0..C-1 or VOID.
        edges: (batch, height, width, 1) floating in [0, 1]; gradients pass through it.
        num_classes: C.
        colors: (batch, height, width, 3) float32 0..255, of `preprocessing.region_colors`; None for
            a generator without appearance.

    Returns:
        (batch, height, width, C + 1) float32, or C + 4 with colours, which lie in [-1, 1]. A VOID
        pixel has an all-zero one-hot part.
    """
    parts = [preprocessing.one_hot(labels, num_classes, ops), ops.cast(edges, "float32")]
    if colors is not None:
        parts.append(preprocessing.to_signed(colors, ops))
    return ops.concatenate(parts, axis=-1)
