"""The operations of a TFLite file, read from its flatbuffer."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from ai_edge_litert import schema_py_generated as schema


@dataclass(frozen=True)
class Tensor:
    """A tensor, as far as it is known without running the network.

    Attributes:
        dtype: by the schema's name, such as INT32.
        shape: at batch 1 where the batch is unknown.
        is_const: whether its values stand in the file.
        is_fixed: whether its size does not depend on the input's.
    """

    dtype: str
    shape: tuple[int, ...]
    is_const: bool
    is_fixed: bool


@dataclass(frozen=True)
class Op:
    """One operation.

    Attributes:
        name: by the schema's name, such as CONV_2D.
        inputs: without optional ones that are left out.
        outputs: its results.
        options: such as a `schema.Conv2DOptionsT`; None where it has none.
    """

    name: str
    inputs: list[Tensor]
    outputs: list[Tensor]
    options: Any


def read(model: bytes) -> list[Op]:
    """The operations of all subgraphs, in their order.

    Args:
        model: the file's bytes; what follows the flatbuffer is ignored.
    """
    unpacked = schema.ModelT.InitFromPackedBuf(model, 0)
    codes = [
        _BUILTINS[max(code.builtinCode, code.deprecatedBuiltinCode)]
        for code in unpacked.operatorCodes
    ]
    operations = []
    for graph in unpacked.subgraphs:
        tensors = [_tensor(one, unpacked.buffers[one.buffer]) for one in graph.tensors]
        operations += [
            Op(
                name=codes[op.opcodeIndex],
                inputs=[tensors[index] for index in op.inputs if index >= 0],
                outputs=[tensors[index] for index in op.outputs],
                options=op.builtinOptions,
            )
            for op in graph.operators
        ]
    return operations


def counts(model: bytes) -> dict[str, int]:
    """How often each operation occurs in a TFLite file, sorted by name."""
    return dict(sorted(Counter(op.name for op in read(model)).items()))


def _tensor(tensor: Any, buffer: Any) -> Tensor:
    signature = tensor.shapeSignature
    return Tensor(
        dtype=_TYPES[tensor.type],
        shape=tuple(int(side) for side in (() if tensor.shape is None else tensor.shape)),
        is_const=buffer.data is not None and len(buffer.data) > 0,
        is_fixed=signature is None or all(side >= 0 for side in signature),
    )


def _names(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


_BUILTINS, _TYPES = _names(schema.BuiltinOperator), _names(schema.TensorType)
