"""Whether TFLite's GPU delegate can run a file: its own rules, applied to the flatbuffer.

TensorFlow's analyzer calls everything compatible (TF 2.21), so it proves nothing. The rules here
are those of the delegate's source, tools/versioning/gpu_compatibility.cc of LiteRT, for the ops
that image networks are made of; an op that is not among them is reported as well. Beyond that file
no tensor may have more than four axes or an unknown size.
"""

import math
from collections.abc import Callable

from ai_edge_litert import schema_py_generated as schema

from sflowgan_tf.deployment.flatbuffer import Op, read

_Rule = Callable[[Op], str | None]  # what is wrong, None where nothing is
_FLOATS = ("FLOAT16", "FLOAT32")


def violations(model: bytes) -> list[str]:
    """What keeps the GPU delegate from running a TFLite file.

    Args:
        model: the file's bytes; what follows the flatbuffer is ignored.

    Returns:
        A sentence for each op that breaks a rule, in the order of the graph; none where all may
        run on the GPU.
    """
    found = []
    for number, op in enumerate(read(model)):
        reason = _reason(op)
        if reason is not None:
            found.append(f"op {number}, {op.name}: {reason}")
    return found


def _reason(op: Op) -> str | None:
    if op.name not in _RULES:
        return "the GPU delegate has no such op"
    for tensor in (*op.inputs, *op.outputs):
        if len(tensor.shape) > 4:
            return f"a tensor has {len(tensor.shape)} axes; 4 at most"
        if not tensor.is_fixed:
            return "the size of a tensor is not fixed"
    return _RULES[op.name](op)


def _fine(op: Op) -> str | None:
    return None


def _unary(op: Op) -> str | None:
    """One runtime input."""
    return None if op.runtime == 1 else f"has {op.runtime} runtime inputs; expected 1"


def _binary(op: Op) -> str | None:
    """Two operands, one of which may be constant."""
    if op.runtime in (1, 2) and len(op.inputs) == 2:
        return _activation(op)
    return f"has {len(op.inputs)} operands, {op.runtime} at run time; expected 2, and 1 or 2"


def _activation(op: Op) -> str | None:
    fused = getattr(op.options, "fusedActivationFunction", 0)
    is_sign = fused == schema.ActivationFunctionType.SIGN_BIT
    return "fused with SIGN_BIT" if is_sign else None


def _broadcast(op: Op) -> str | None:
    """ADD and MUL: axes that are missing may only be such that the delegate knows."""
    if len(op.inputs) != 2:
        return f"has {len(op.inputs)} inputs; expected 2"
    short, long = sorted((tensor.shape for tensor in op.inputs), key=len)
    if len(short) > 1 and len(short) != len(long):
        fits = len(long) == 4 and (
            (len(short) == 3 and long[0] == 1)
            or (short == (1, 1) and long[0] == 1)
            or (len(short) == 2 and short == (long[0], long[3]))
        )
        if not fits:
            return f"broadcasts {list(short)} to {list(long)}"
    return _activation(op)


def _two_inputs(op: Op) -> str | None:
    return None if len(op.inputs) == 2 else f"has {len(op.inputs)} inputs; expected 2"


def _cast(op: Op) -> str | None:
    given, made = op.inputs[0].dtype, op.outputs[0].dtype
    to_bool = "BOOL" in (given, made) and (given in _FLOATS or made in _FLOATS)
    numbers = ("FLOAT32", "INT32")
    fits = to_bool or (given in numbers and made in numbers)
    return _unary(op) if fits else f"from {given} to {made}"


def _convolution(op: Op) -> str | None:
    if op.runtime > 2:
        return f"has {op.runtime} runtime inputs; 2 at most"
    return _activation(op)


def _depthwise(op: Op) -> str | None:
    given, kernel, made = op.inputs[0].shape, op.inputs[1].shape, op.outputs[0].shape
    if not len(given) == len(kernel) == len(made) == 4:
        return "has tensors that are not 4-D"
    if made[3] != given[3] * op.options.depthMultiplier or kernel[3] != made[3]:
        return f"makes {made[3]} channels of {given[3]} times {op.options.depthMultiplier}"
    if len(op.inputs) > 2 and math.prod(op.inputs[2].shape) != made[3]:
        return "has a bias of another size than its channels"
    return _convolution(op)


def _blocks(op: Op) -> str | None:
    size = op.options.blockSize
    return _unary(op) if size > 1 else f"with blocks of {size}; expected more than 1"


def _dequantize(op: Op) -> str | None:
    if op.inputs[0].dtype == "INT16":
        return "from INT16"
    return None if len(op.inputs) == len(op.outputs) == 1 else "has not one input and one output"


def _fully_connected(op: Op) -> str | None:
    if op.options.weightsFormat != schema.FullyConnectedOptionsWeightsFormat.DEFAULT:
        return "with shuffled weights"
    if op.options.keepNumDims and len(op.inputs[0].shape) != len(op.outputs[0].shape):
        return "keeps its axes but changes their number"
    return None if op.runtime <= 2 else f"has {op.runtime} runtime inputs; 2 at most"


def _gather(op: Op) -> str | None:
    indices = op.inputs[1]
    fits = len(indices.shape) == 1 and indices.dtype == "INT32"
    return None if fits else f"with indices {list(indices.shape)} of {indices.dtype}"


def _reduction(op: Op) -> str | None:
    axes = op.inputs[1]
    if not axes.is_const:
        return "over axes that are not constant"
    return _unary(op) if axes.dtype == "INT32" else f"over axes of {axes.dtype}; expected INT32"


def _padding(op: Op) -> str | None:
    if op.name == "MIRROR_PAD" and op.options.mode != schema.MirrorPadMode.REFLECT:
        return "mirrors the border too (SYMMETRIC); only REFLECT is run"
    shape = op.inputs[1].shape
    if shape not in ((3, 2), (4, 2)):
        return f"with paddings {'x'.join(map(str, shape))}; expected 3x2 or 4x2"
    return _unary(op)


def _one_hot(op: Op) -> str | None:
    indices, _, on, off = op.inputs
    if indices.dtype != "INT32":
        return f"of {indices.dtype}; expected INT32"
    first = 1 if len(indices.shape) > 3 else 0  # the batch may be any
    if any(side != 1 for side in indices.shape[first:-1]):
        return f"of {list(indices.shape)}; only batch and last axis may exceed 1"
    if op.options.axis not in (-1, *indices.shape[-1:]):
        return f"along axis {op.options.axis}; expected -1"
    for value in (on, off):
        if value.dtype != "FLOAT32" or not value.is_const or math.prod(value.shape) > 1:
            return "with values that are no constant FLOAT32"
    return None


def _select(op: Op) -> str | None:
    condition, *choices = op.inputs
    if condition.dtype not in (*_FLOATS, "BOOL"):
        return f"by {condition.dtype}"
    for choice in choices:
        if choice.shape not in ((), (1,), op.outputs[0].shape):
            return f"of {list(choice.shape)} for {list(op.outputs[0].shape)}"
    return None


def _slice(op: Op) -> str | None:
    for mask in ("ellipsisMask", "newAxisMask", "shrinkAxisMask"):
        if getattr(op.options, mask, 0):
            return f"with {mask}"
    axes = len(op.inputs[0].shape)
    return None if axes in (3, 4) else f"of {axes} axes; expected 3 or 4"


def _softmax(op: Op) -> str | None:
    return _unary(op) if op.options.beta == 1 else f"with beta {op.options.beta}; expected 1"


def _bilinear(op: Op) -> str | None:
    both = op.options.alignCorners and op.options.halfPixelCenters
    return "with align_corners and half_pixel_centers together" if both else _unary(op)


def _rules() -> dict[str, _Rule]:
    by_rule: dict[_Rule, str] = {
        _fine: "CONCATENATION LEAKY_RELU PACK PRELU RELU RELU6 RELU_N1_TO_1 SPLIT SPLIT_V",
        _unary: "ABS AVERAGE_POOL_2D CEIL COS ELU EXP FLOOR GELU HARD_SWISH LOG LOGICAL_NOT "
        "LOGISTIC MAX_POOL_2D NEG QUANTIZE RESHAPE RESIZE_NEAREST_NEIGHBOR ROUND RSQRT SIGN SIN "
        "SQRT SQUARE TANH TILE TRANSPOSE",
        _binary: "DIV EQUAL FLOOR_DIV FLOOR_MOD GREATER GREATER_EQUAL LESS LESS_EQUAL LOGICAL_AND "
        "LOGICAL_OR MAXIMUM MINIMUM NOT_EQUAL POW SQUARED_DIFFERENCE SUB",
        _broadcast: "ADD MUL",
        _two_inputs: "ADD_N BATCH_MATMUL",
        _cast: "CAST",
        _convolution: "CONV_2D TRANSPOSE_CONV",
        _depthwise: "DEPTHWISE_CONV_2D",
        _blocks: "DEPTH_TO_SPACE SPACE_TO_DEPTH",
        _dequantize: "DEQUANTIZE",
        _fully_connected: "FULLY_CONNECTED",
        _gather: "GATHER",
        _reduction: "MEAN REDUCE_ALL REDUCE_ANY REDUCE_MAX REDUCE_MIN REDUCE_PROD SUM",
        _padding: "MIRROR_PAD PAD PADV2",
        _one_hot: "ONE_HOT",
        _select: "SELECT SELECT_V2",
        _slice: "SLICE STRIDED_SLICE",
        _softmax: "SOFTMAX",
        _bilinear: "RESIZE_BILINEAR",
    }
    return {name: rule for rule, names in by_rule.items() for name in names.split()}


_RULES = _rules()
