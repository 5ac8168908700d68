"""Graphs of one op, made by hand, that break each rule; and some that TensorFlow converts."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import Builder

from sflowgan_tf.deployment import gpu_rules
from sflowgan_tf.networks.blocks import InstanceNormalization, ReflectionPadding2D

IMAGE = (1, 8, 8, 4)


class Tensor:
    def __init__(self, shape, dtype="FLOAT32", const=False, signature=None):
        self.shape, self.dtype, self.const, self.signature = shape, dtype, const, signature


def flatbuffer(*ops):
    """A TFLite file of ops (name, inputs, outputs, options); equal tensor objects are shared."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs, model.operatorCodes = 3, [graph], []
    model.buffers = [schema.BufferT(), schema.BufferT()]
    model.buffers[1].data = np.zeros(4, np.uint8)
    graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [], [], []
    places = {}

    def place(tensor):
        if tensor not in places:
            places[tensor] = len(graph.tensors)
            made = schema.TensorT()
            made.shape, made.type = list(tensor.shape), getattr(schema.TensorType, tensor.dtype)
            made.shapeSignature, made.buffer = tensor.signature, int(tensor.const)
            graph.tensors.append(made)
        return places[tensor]

    for name, inputs, outputs, options in ops:
        code, op = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        op.opcodeIndex = len(model.operatorCodes)
        op.inputs, op.outputs = [*map(place, inputs)], [*map(place, outputs)]
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            op.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            op.builtinOptions = options
        model.operatorCodes.append(code)
        graph.operators.append(op)
    builder = Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def options(kind, **values):
    made = getattr(schema, f"{kind}OptionsT")()
    for name, value in values.items():
        assert hasattr(made, name)
        setattr(made, name, value)
    return made


def op(name, *inputs, made=IMAGE, to="FLOAT32", with_=None):
    tensors = [one if isinstance(one, Tensor) else Tensor(one) for one in inputs]
    return flatbuffer((name, tensors, [Tensor(made, to)], with_))


def const(*shape, dtype="FLOAT32"):
    return Tensor(shape, dtype, const=True)


AXES = const(2, dtype="INT32")
PADS = const(4, 2, dtype="INT32")
KERNEL = const(4, 3, 3, 4)
SCALAR = const()

BROKEN = {
    "no such op": (op("SHAPE", IMAGE, to="INT32"), "SHAPE: the GPU delegate has no such op"),
    "expand dims": (op("EXPAND_DIMS", IMAGE, const(1, dtype="INT32")), "no such op"),
    "5-D": (op("RESHAPE", IMAGE, AXES, made=(1, 2, 4, 8, 4)), "has 5 axes; 4 at most"),
    "dynamic": (op("TANH", Tensor(IMAGE, signature=[-1, 8, 8, 4])), "is not fixed"),
    "cast uint8": (op("CAST", Tensor(IMAGE, "UINT8")), "from UINT8 to FLOAT32"),
    "cast to int64": (op("CAST", IMAGE, to="INT64"), "from FLOAT32 to INT64"),
    "symmetric": (
        op("MIRROR_PAD", IMAGE, PADS, with_=options("MirrorPad", mode=1)),
        "only REFLECT is run",
    ),
    "paddings 2x2": (
        op("MIRROR_PAD", (8, 8), const(2, 2, dtype="INT32"), with_=options("MirrorPad", mode=0)),
        "with paddings 2x2; expected 3x2 or 4x2",
    ),
    "pad 5x2": (op("PAD", IMAGE, const(5, 2, dtype="INT32")), "with paddings 5x2"),
    "one-hot of a map": (
        op(
            "ONE_HOT",
            Tensor((1, 8, 8), "INT32"),
            const(dtype="INT32"),
            SCALAR,
            SCALAR,
            with_=options("OneHot", axis=-1),
        ),
        "only batch and last axis may exceed 1",
    ),
    "one-hot of int64": (
        op("ONE_HOT", Tensor((1,), "INT64"), AXES, SCALAR, SCALAR, with_=options("OneHot")),
        "of INT64; expected INT32",
    ),
    "one-hot axis": (
        op(
            "ONE_HOT",
            Tensor((3,), "INT32"),
            AXES,
            SCALAR,
            SCALAR,
            with_=options("OneHot", axis=0),
        ),
        "along axis 0",
    ),
    "one-hot values": (
        op("ONE_HOT", Tensor((3,), "INT32"), AXES, (), SCALAR, with_=options("OneHot", axis=-1)),
        "no constant FLOAT32",
    ),
    "bilinear with both": (
        op(
            "RESIZE_BILINEAR",
            IMAGE,
            AXES,
            with_=options("ResizeBilinear", alignCorners=True, halfPixelCenters=True),
        ),
        "align_corners and half_pixel_centers together",
    ),
    "mean over given axes": (
        op("MEAN", IMAGE, Tensor((2,), "INT32")),
        "over axes that are not constant",
    ),
    "sum over int64 axes": (op("SUM", IMAGE, const(2, dtype="INT64")), "axes of INT64"),
    "broadcast": (op("ADD", IMAGE, (8, 4), with_=options("Add")), r"broadcasts \[8, 4\] to"),
    "multiply three": (op("MUL", IMAGE, IMAGE, IMAGE, with_=options("Mul")), "has 3 inputs"),
    "add_n": (op("ADD_N", IMAGE, IMAGE, IMAGE), "has 3 inputs; expected 2"),
    "all constant": (op("SUB", KERNEL, KERNEL), "2 operands, 0 at run time"),
    "sign bit": (
        op("SUB", IMAGE, IMAGE, with_=options("Sub", fusedActivationFunction=5)),
        "fused with SIGN_BIT",
    ),
    "tanh of a constant": (op("TANH", KERNEL), "has 0 runtime inputs"),
    "bias at run time": (
        op("CONV_2D", IMAGE, IMAGE, (4,), with_=options("Conv2D")),
        "has 3 runtime inputs; 2 at most",
    ),
    "depthwise channels": (
        op(
            "DEPTHWISE_CONV_2D",
            IMAGE,
            const(1, 3, 3, 8),
            with_=options("DepthwiseConv2D", depthMultiplier=1),
        ),
        "makes 4 channels of 4 times 1",
    ),
    "depthwise bias": (
        op(
            "DEPTHWISE_CONV_2D",
            IMAGE,
            const(1, 3, 3, 4),
            const(3),
            with_=options("DepthwiseConv2D", depthMultiplier=1),
        ),
        "bias of another size",
    ),
    "depthwise 3-D": (
        op("DEPTHWISE_CONV_2D", (8, 8, 4), const(1, 3, 3, 4), with_=options("DepthwiseConv2D")),
        "not 4-D",
    ),
    "blocks of 1": (
        op("DEPTH_TO_SPACE", IMAGE, with_=options("DepthToSpace", blockSize=1)),
        "with blocks of 1",
    ),
    "int16": (op("DEQUANTIZE", Tensor(IMAGE, "INT16")), "from INT16"),
    "two to dequantize": (op("DEQUANTIZE", IMAGE, IMAGE), "not one input and one output"),
    "shuffled": (
        op("FULLY_CONNECTED", IMAGE, const(4, 4), with_=options("FullyConnected", weightsFormat=1)),
        "with shuffled weights",
    ),
    "axes kept": (
        op(
            "FULLY_CONNECTED",
            IMAGE,
            const(4, 4),
            made=(64, 4),
            with_=options("FullyConnected", keepNumDims=True),
        ),
        "changes their number",
    ),
    "many to connect": (
        op("FULLY_CONNECTED", IMAGE, IMAGE, (4,), with_=options("FullyConnected")),
        "3 runtime inputs",
    ),
    "gather": (op("GATHER", IMAGE, const(2, 2, dtype="INT32")), r"with indices \[2, 2\] of INT32"),
    "select by int": (op("SELECT_V2", Tensor(IMAGE, "INT32"), IMAGE, IMAGE), "by INT32"),
    "select broadcast": (
        op("SELECT_V2", Tensor(IMAGE, "BOOL"), (1, 1, 8, 4), IMAGE),
        r"of \[1, 1, 8, 4\] for",
    ),
    "new axis": (
        op("STRIDED_SLICE", IMAGE, with_=options("StridedSlice", newAxisMask=1)),
        "with newAxisMask",
    ),
    "slice of 2 axes": (op("SLICE", (8, 8), AXES, AXES), "of 2 axes; expected 3 or 4"),
    "softmax": (op("SOFTMAX", IMAGE, with_=options("Softmax", beta=2.0)), "with beta 2.0"),
}


@pytest.mark.parametrize(("model", "said"), BROKEN.values(), ids=BROKEN)
def test_a_graph_that_breaks_a_rule(model, said):
    (reason,) = gpu_rules.violations(model)
    assert reason.startswith("op 0, ")
    assert re.search(said, reason), reason


FINE = {
    "cast": op("CAST", Tensor(IMAGE, "INT32")),
    "cast bool": op("CAST", Tensor(IMAGE, "BOOL"), to="FLOAT16"),
    "reflect": op("MIRROR_PAD", IMAGE, PADS, with_=options("MirrorPad", mode=0)),
    "one-hot of channels": op(
        "ONE_HOT",
        Tensor((2, 1, 1, 5), "INT32"),
        AXES,
        SCALAR,
        SCALAR,
        with_=options("OneHot", axis=-1),
    ),
    "bilinear": op(
        "RESIZE_BILINEAR", IMAGE, AXES, with_=options("ResizeBilinear", halfPixelCenters=True)
    ),
    "mean": op("MEAN", IMAGE, AXES),
    "channels": op("MUL", IMAGE, (1, 4), with_=options("Mul")),
    "scalar": op("ADD", IMAGE, SCALAR, with_=options("Add")),
    "3-D onto 4-D": op("ADD", IMAGE, (8, 8, 4), with_=options("Add")),
    "convolution": op("CONV_2D", IMAGE, KERNEL, const(4), with_=options("Conv2D")),
    "depthwise": op(
        "DEPTHWISE_CONV_2D",
        IMAGE,
        const(1, 3, 3, 4),
        const(4),
        with_=options("DepthwiseConv2D", depthMultiplier=1),
    ),
    "slice": op("STRIDED_SLICE", IMAGE, AXES, AXES, AXES, with_=options("StridedSlice")),
    "select": op("SELECT_V2", Tensor(IMAGE, "BOOL"), IMAGE, SCALAR),
}


@pytest.mark.parametrize("model", FINE.values(), ids=FINE)
def test_a_graph_that_keeps_the_rules(model):
    assert gpu_rules.violations(model) == []


def test_half_precision_weights_are_constants_though_they_are_dequantized():
    def convolution(stored):
        weights = [(const(4, 3, 3, 4, dtype=stored), Tensor((4, 3, 3, 4)))]
        weights.append((const(4, dtype=stored), Tensor((4,))))
        given = [("DEQUANTIZE", [a], [b], None) for a, b in weights]
        inputs = [Tensor(IMAGE), weights[0][1], weights[1][1]]
        return flatbuffer(*given, ("CONV_2D", inputs, [Tensor(IMAGE)], options("Conv2D")))

    assert gpu_rules.violations(convolution("FLOAT16")) == []
    (reason,) = gpu_rules.violations(convolution("INT8"))
    assert reason == "op 2, CONV_2D: has 3 runtime inputs; 2 at most"


def converted(function, *shape, dtype=tf.float32):
    module = tf.Module()
    module.function = tf.function(function, input_signature=[tf.TensorSpec(shape, dtype)])
    concrete = module.function.get_concrete_function()
    return tf.lite.TFLiteConverter.from_concrete_functions([concrete], module).convert()


def test_what_tensorflow_makes_of_what_must_stay_outside():
    """The analyzer of TensorFlow 2.21 calls all of these compatible."""
    norm = keras.layers.GroupNormalization(-1, epsilon=1e-5)
    norm.build((1, 8, 8, 4))
    up = keras.layers.Conv2DTranspose(2, 3, strides=2)
    up.build((None, 8, 8, 4))
    expected = {
        "ONE_HOT": converted(lambda x: tf.one_hot(x, 5), 1, 8, 8, dtype=tf.int32),
        "CAST": converted(lambda x: tf.cast(x, tf.float32), 1, 8, 8, 3, dtype=tf.uint8),
        "axes; 4 at most": converted(norm, 1, 8, 8, 4),
        "SHAPE": converted(up, None, 8, 8, 4),
        "MIRROR_PAD": converted(lambda x: tf.pad(x, [[0, 0], [1, 1]], "REFLECT"), 8, 8),
    }
    for said, model in expected.items():
        assert any(said in reason for reason in gpu_rules.violations(model)), said


def test_our_own_layers_are_fine():
    pad, norm = ReflectionPadding2D(1), InstanceNormalization()
    model = converted(lambda x: norm(pad(tf.tanh(pad(x)))), 1, 8, 8, 4)
    assert gpu_rules.violations(model) == []
