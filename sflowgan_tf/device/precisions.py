"""The precisions that TFLite files have, for a command line that imports nothing heavy."""

from typing import Literal, get_args

Precision = Literal["fp32", "fp16", "int8", "dynamic"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
