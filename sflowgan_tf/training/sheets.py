"""Sheets of pictures and films of a model in training."""

from typing import Any

import numpy as np
import tensorflow as tf

from sflowgan_tf.data.flow import dense_flow
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.ops.flow_colors import flow_to_color
from sflowgan_tf.ops.images import contact_sheet
from sflowgan_tf.ops.settings import Farneback
from sflowgan_tf.translation.translator import Translator

_EDGES = {"laplacian": "Laplacian edges", "instances": "boundaries", "none": "edges, unused"}


def scenes(
    translator: Translator, table: ClassTable, frames: list[dict[str, tf.Tensor]], redraw: bool
) -> np.ndarray:
    """A sheet of one row for each frame of `pipeline.frames`.

    A row holds the labels, the simulator's frame, its edge map, the DNED's if there is one, the
    colours if the model sees them, the result, with `redraw` painted from the DNED's edges, if
    there is one, and the real frame.
    """
    rows: list[dict[str, Any]] = []
    for frame in frames:
        edges, redrawn = translator.edges_of(frame), translator.redrawn_edges_of(frame)
        row = {
            "labels": table.colorize(frame["labels"].numpy()),
            "given frame": frame["image_cg"],
            _EDGES[translator.edge_map]: edges[0],
        }
        if translator.redraws:
            row["DNED edges"] = redrawn[0]
        colors = translator.colors_of(frame)
        if colors is not None:
            row["colours"] = np.rint(colors[0]).astype(np.uint8)
        painted = translator.paint(frame["labels"][None], redrawn if redraw else edges, colors)
        rows.append(row | {"result": painted[0], "real": frame["image_real"]})
    pictures = [[np.asarray(picture) for picture in row.values()] for row in rows]
    return contact_sheet(pictures, list(rows[0]))


def variations(translator: Translator, frame: dict[str, tf.Tensor], seed: int) -> np.ndarray:
    """Four versions of one scene and, above them, the edge maps that made them."""
    rows = [[*pictures] for pictures in translator.versions(frame, 4, seed)]
    return contact_sheet(rows, ["equal weights", "variation 1", "variation 2", "variation 3"])


def film(drive: list[dict[str, tf.Tensor]], pictures: np.ndarray) -> np.ndarray:
    """Simulated, painted and real frames beside each other, (frames, height, 3 width, 3) uint8.

    The pictures, (frames, height, width, 3) uint8 RGB, are painted of `pipeline.drive`'s frames.
    """
    simulated, real = (np.stack([f[name] for f in drive]) for name in ("image_cg", "image_real"))
    return np.concatenate([simulated, pictures, real], axis=2)


def flow(
    drive: list[dict[str, tf.Tensor]], pictures: np.ndarray, farneback: Farneback
) -> np.ndarray:
    """A sheet of one row a pair of frames: real, its flow, the flow of the result, result.

    Both flows of a row have the same scale of colours. Drive and pictures are those of `film`.
    """
    rows = []
    for index in range(min(len(drive) - 1, 4)):
        real = np.stack([f["image_real"] for f in drive[index : index + 2]])
        fake = pictures[index : index + 2]
        flows = np.stack([dense_flow(*pair, farneback=farneback) for pair in (real, fake)])
        rows.append([real[0], *flow_to_color(flows), fake[0]])
    return contact_sheet(rows, ["real", "flow of the real", "flow of the result", "result"])
