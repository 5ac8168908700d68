"""Warping an image by an optical flow, and where that is allowed."""

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
    _check_channels("flow", flow)
    image, flow = ops.cast(image, "float32"), ops.cast(flow, "float32")
    height, width = ops.shape(image)[1:3]
    columns, rows = _targets(flow)
    left, right, x = _neighbours(columns, width)
    top, bottom, y = _neighbours(rows, height)
    upper = (1 - x) * _fetch(image, top, left) + x * _fetch(image, top, right)
    lower = (1 - x) * _fetch(image, bottom, left) + x * _fetch(image, bottom, right)
    return (1 - y) * upper + y * lower


def consistent(flow_forward, flow_backward):
    """Where a pixel of the first frame is seen in the second one too: the forward-backward check.

    There the way back undoes the way there; where something covers the pixel, it does not.

    Args:
        flow_forward: (batch, height, width, 2) pixels from the first frame to the second; channel 0
            is dx (right), 1 is dy (down).
        flow_backward: the same, from the second frame to the first.

    Returns:
        (batch, height, width, 1) float32 in {0, 1}; 0 too where `flow_forward` leaves the frame.
        No gradients pass.

    Raises:
        ValueError: a flow has not two channels.

    Source: Sundaram et al., ECCV 2010: |f + b|^2 < 0.01 (|f|^2 + |b|^2) + 0.5, with b fetched from
    where f points. That a way out of the frame is never consistent is our choice.
    """
    _check_channels("flow_forward", flow_forward)
    _check_channels("flow_backward", flow_backward)
    forward = ops.cast(flow_forward, "float32")
    backward = backward_warp(flow_backward, forward)
    lengths = _squared_length(forward) + _squared_length(backward)
    returns = ops.less(_squared_length(forward + backward), 0.01 * lengths + 0.5)
    return ops.cast(ops.logical_and(returns, _stays_inside(forward)), "float32")


def _check_channels(name, flow):
    if flow.shape[-1] != 2:
        raise ValueError(f"{name}: expected 2 channels (dx, dy), got shape {tuple(flow.shape)}")


def _squared_length(flow):
    return ops.sum(ops.square(flow), axis=-1, keepdims=True)


def _stays_inside(flow):
    """Whether each pixel's target lies between the centres of the border's pixels."""
    height, width = ops.shape(flow)[1:3]
    columns, rows = _targets(flow)
    across = (columns >= 0) & (columns <= ops.cast(width - 1, "float32"))
    down = (rows >= 0) & (rows <= ops.cast(height - 1, "float32"))
    return (across & down)[..., None]


def _targets(flow):
    """Column and row that each pixel's flow points to, (batch, height, width) each."""
    height, width = ops.shape(flow)[1:3]
    columns = ops.arange(0, width, dtype="float32")[None, None, :] + flow[..., 0]
    rows = ops.arange(0, height, dtype="float32")[None, :, None] + flow[..., 1]
    return columns, rows


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
