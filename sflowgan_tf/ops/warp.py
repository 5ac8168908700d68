"""Warping an image by an optical flow."""

from keras import ops


def backward_warp(image, flow):
    """Fetch each pixel from where the flow points: output[y, x] = image[y + dy, x + dx].

    With the flow from frame 0 to frame 1 it brings frame 1 back onto frame 0.

    Args:
        image: (batch, height, width, channels) floating.
        flow: (batch, height, width, 2) pixels; channel 0 is dx (right), 1 is dy (down).

    Returns:
        (batch, height, width, channels) float32, bilinear; beyond the border the border's pixels go
        on. Differentiable in both arguments; the gradient to the flow is 0 where it points beyond
        the border.

    Raises:
        ValueError: `flow` has not two channels.

    Source: tfa.image.dense_image_warp, whose flow is (dy, dx) and is subtracted; ours is the
    negative of it.
    """
    if flow.shape[-1] != 2:
        raise ValueError(f"flow: expected 2 channels (dx, dy), got shape {tuple(flow.shape)}")
    image, flow = ops.cast(image, "float32"), ops.cast(flow, "float32")
    height, width = ops.shape(image)[1:3]
    columns = ops.arange(0, width, dtype="float32")[None, None, :] + flow[..., 0]
    rows = ops.arange(0, height, dtype="float32")[None, :, None] + flow[..., 1]
    left, right, x = _neighbours(columns, width)
    top, bottom, y = _neighbours(rows, height)
    upper = (1 - x) * _fetch(image, top, left) + x * _fetch(image, top, right)
    lower = (1 - x) * _fetch(image, bottom, left) + x * _fetch(image, bottom, right)
    return (1 - y) * upper + y * lower


def _neighbours(position, size):
    """The grid positions before and after, int32, and the share (..., 1) of the one after."""
    last = ops.cast(ops.maximum(size - 2, 0), "float32")
    floor = ops.clip(ops.floor(position), 0, last)
    share = ops.clip(position - ops.stop_gradient(floor), 0, 1)
    lower = ops.cast(floor, "int32")
    return lower, ops.minimum(lower + 1, size - 1), share[..., None]


def _fetch(image, rows, columns):
    """image[b, rows, columns] for each image b of the batch."""
    batch, height, width, channels = ops.shape(image)
    first = ops.arange(0, batch, dtype="int32")[:, None, None] * height * width
    return ops.take(ops.reshape(image, (-1, channels)), first + rows * width + columns, axis=0)
