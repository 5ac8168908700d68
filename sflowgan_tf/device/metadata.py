"""What a TFLite file says of itself.

The metadata lie as `metadata.json` in a zip archive behind the flatbuffer, where TFLite's own
metadata keeps files too and where interpreters do not look.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sflowgan_tf.device.precisions import Precision
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.ops.palette import ColorInput
from sflowgan_tf.ops.settings import EdgeSettings, Farneback
from sflowgan_tf.utils.errors import UserError

_NAME = "metadata.json"
_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """All that must be known to paint with a file.

    Attributes:
        size: (width, height) of the scenes and pictures, pixels.
        precision: of the weights, and for int8 of the values in between too.
        in_float: ops that an int8 file keeps in float.
        inputs: name, shape and meaning of each of the network's inputs, in their order.
        output: name and meaning of what it paints.
        edges: settings of the Laplacian edges.
        flow: settings of the optical flow of the records that the model was trained on; the
            defaults in files that were written without them.
        classes: what class indices mean.
        appearance: how the network is given colours; None for one that sees none, and in files that
            were written without it.
        origin: run, step and date of the export.
        format: of these metadata.
    """

    format: int = _FORMAT
    size: tuple[int, int]
    precision: Precision
    in_float: list[str]
    inputs: list[dict[str, Any]]
    output: dict[str, str]
    edges: EdgeSettings
    flow: Farneback = Farneback()
    classes: ClassTable
    appearance: ColorInput | None = None
    origin: dict[str, str]

    @property
    def input_names(self) -> list[str]:
        """Of the network's inputs, see `tflite_model.network_inputs`."""
        return [tensor["name"] for tensor in self.inputs]

    def append(self, file: Path) -> None:
        """Writes the metadata behind the flatbuffer in `file`."""
        colors = self.appearance and self.appearance.to_dict()
        values = asdict(self) | {"classes": self.classes.to_dict(), "appearance": colors}
        with zipfile.ZipFile(file, "a") as archive:
            archive.writestr(_NAME, json.dumps(values, indent=1))

    @classmethod
    def read(cls, file: Path) -> Metadata:
        """The metadata of a file.

        Raises:
            UserError: it is missing, or not written by `export --tflite` of this version.
        """
        if not file.is_file():
            raise UserError(f"{file}: no such file")
        try:
            with zipfile.ZipFile(file) as archive:
                values = json.loads(archive.read(_NAME))
            if values["format"] != _FORMAT:
                raise UserError(
                    f"{file}: metadata of format {values['format']}, expected {_FORMAT}; export "
                    "it anew"
                )
            width, height = values["size"]
            colors = values.get("appearance")
            parts = {
                "size": (width, height),
                "edges": EdgeSettings(**values["edges"]),
                "flow": Farneback(**values.get("flow", {})),
                "classes": ClassTable.from_dict(values["classes"]),
                "appearance": colors and ColorInput.from_dict(colors),
            }
            return cls(**(values | parts))
        except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError):
            raise UserError(
                f"{file}: holds no {_NAME} that can be read; expected a file of `python -m "
                "sflowgan_tf.export --tflite`"
            ) from None
