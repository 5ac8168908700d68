"""The precisions of TFLite files, by name."""

from typing import Literal, get_args

Precision = Literal["fp32", "fp16", "int8", "dynamic"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
