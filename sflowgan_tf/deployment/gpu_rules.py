"""What TFLite's GPU delegate runs, of all that our networks convert to.

TensorFlow's analyzer calls everything compatible (TF 2.21), so it proves nothing. The list holds
the ops that our files may hold, with the conditions of the delegate's own source
(tools/versioning/gpu_compatibility.cc of LiteRT) that a change of a network could break. Any other
op is reported as not known to run.
"""

from collections import Counter
from collections.abc import Callable

from ai_edge_litert import schema_py_generated as schema

from sflowgan_tf.deployment.flatbuffer import Op, read

_MOST_AXES = 4


def violations(model: bytes) -> list[str]:
    """What may keep the GPU delegate from running a TFLite file.

    Args:
        model: the file's bytes; what follows the flatbuffer is ignored.

    Returns:
        A clause such as "2 x CAST: from UINT8 to FLOAT32" for each kind of violation, in the order
        of the graph; none where all may run on the GPU.
    """
    reasons = Counter((op.name, reason) for op in read(model) if (reason := _reason(op)))
    return [f"{count} x {name}: {reason}" for (name, reason), count in reasons.items()]


def _reason(op: Op) -> str | None:
    """Why the delegate may not run an op; None where it does."""
    if op.name not in _FREE and op.name not in _CONDITIONS:
        return "not known to run on the GPU delegate"
    for tensor in (*op.inputs, *op.outputs):
        if len(tensor.shape) > _MOST_AXES:
            return f"a tensor has {len(tensor.shape)} axes; {_MOST_AXES} at most"
        if not tensor.is_fixed:
            return "the size of a tensor is not fixed"
    return _CONDITIONS[op.name](op) if op.name in _CONDITIONS else None


def _cast(op: Op) -> str | None:
    types = (op.inputs[0].dtype, op.outputs[0].dtype)
    return None if {*types} <= {"FLOAT32", "INT32"} else f"from {types[0]} to {types[1]}"


def _padding(op: Op) -> str | None:
    if op.name == "MIRROR_PAD" and op.options.mode != schema.MirrorPadMode.REFLECT:
        return "mirrors the border too (SYMMETRIC); only REFLECT is run"
    shape = op.inputs[1].shape
    fits = shape in ((3, 2), (4, 2))
    return None if fits else f"with paddings {'x'.join(map(str, shape))}; expected 3x2 or 4x2"


def _reduction(op: Op) -> str | None:
    axes = op.inputs[1]
    fits = axes.is_const and axes.dtype == "INT32"
    return None if fits else "over axes that are no constant INT32"


def _slice(op: Op) -> str | None:
    masks = [op.options.ellipsisMask, op.options.newAxisMask, op.options.shrinkAxisMask]
    fits = not any(masks) and len(op.inputs[0].shape) in (3, 4)
    return None if fits else "changes the number of axes, or has not 3 or 4"


def _bilinear(op: Op) -> str | None:
    both = op.options.alignCorners and op.options.halfPixelCenters
    return "with align_corners and half_pixel_centers together" if both else None


# fmt: off
_FREE = {
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEQUANTIZE", "DIV",
    "LEAKY_RELU", "LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MINIMUM", "MUL", "QUANTIZE", "RELU",
    "RESHAPE", "RSQRT", "SQUARED_DIFFERENCE", "SUB", "TANH", "TRANSPOSE_CONV",
}
# fmt: on
_CONDITIONS: dict[str, Callable[[Op], str | None]] = {
    "CAST": _cast,
    "MEAN": _reduction,
    "MIRROR_PAD": _padding,
    "PAD": _padding,
    "RESIZE_BILINEAR": _bilinear,
    "STRIDED_SLICE": _slice,
    "SUM": _reduction,
}
