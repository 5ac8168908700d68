"""The edge maps that stand for a scene: E(.), the Laplacian's, and pix2pixHD's boundaries."""

from typing import Any

from keras import ops

from sflowgan_tf.ops import preprocessing
from sflowgan_tf.ops.settings import EdgeSettings


def laplacian_edges(images, settings: EdgeSettings):
    """E(.), the deterministic edge map: where the Laplacian of the grey picture is large.

    Inference draws its edges by it. Records, whose edges training reads, and a device draw theirs
    by the same lines (`ops.preprocessing`) with NumPy.

    Args:
        images: (batch, height, width, 3) RGB, uint8 or floating 0..255; height and width >= 2.
        settings: threshold or density, and blur.

    Returns:
        (batch, height, width, 1) float32 in {0, 1}. Without blur, pictures of integer levels have
        the same edges on every backend, to the last pixel. With blur, rounding decides where the
        Laplacian is the threshold but for some millionths.

    Source: S-Flow GAN, sec. 3.2, "spatial Laplacian with threshold". The kernel (OpenCV's for
    ksize 3), the strict comparison of the absolute value, the grey levels unrounded, the mirrored
    border (BORDER_REFLECT_101), the Gaussian and the density are our choice.
    """
    return preprocessing.laplacian_edges(images, settings, ops)


def instance_boundaries(labels, instances):
    """Where a pixel belongs to another class or another instance than a neighbour.

    Args:
        labels: (batch, height, width) integer, class indices or void.
        instances: (batch, height, width) integer, 0 to 65535, 0 where there is no instance.

    Returns:
        (batch, height, width, 1) float32 in {0, 1}: 1 on both sides of a boundary to one of the
        four neighbours.

    Source: pix2pixHD, sec. 3.3; its `get_edges` compares the ids of a map that holds the class
    where there is no instance.
    """
    ids: Any = ops.cast(labels, "int32") * (1 << 16) + ops.cast(instances, "int32")
    rows = ops.cast(ops.not_equal(ids[:, 1:], ids[:, :-1]), "float32")
    columns = ops.cast(ops.not_equal(ids[:, :, 1:], ids[:, :, :-1]), "float32")
    before, after, none = (1, 0), (0, 1), (0, 0)
    sides = [ops.pad(rows, (none, side, none)) for side in (before, after)]
    sides += [ops.pad(columns, (none, none, side)) for side in (before, after)]
    return ops.max(ops.stack(sides, axis=-1), axis=-1, keepdims=True)
