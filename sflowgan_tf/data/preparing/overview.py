"""What `prepare` understood: a picture of some records, the classes' shares, and what is odd."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest, Split
from sflowgan_tf.ops.flow_colors import flow_to_color
from sflowgan_tf.ops.images import contact_sheet
from sflowgan_tf.utils import sampling
from sflowgan_tf.utils.files import written_whole

NAME = "overview.png"
_ROWS = 4
_MOST_VOID = 0.5  # of all pixels
# No street is full of these, by their names in the class tables.
_SMALL = {"pole", "traffic light", "traffic sign", "pedestrian", "person", "rider", "bicycle"}
_SMALL |= {"motorcycle", "lane marking", "road line", "train"}
_MOST_SMALL = 0.2
_GROUND = ("road", "ground", "ground plane")


def write(folder: Path, manifest: Manifest) -> None:
    """Writes overview.png beside a manifest, whole or not at all.

    Each row is a frame of the training records: the real one and, where there is one, the
    simulator's, labels in the classes' colours with void in black, edges, and the flow to the next
    frame, white where there is none.
    """
    rows = []
    for stored in _some(folder, manifest.splits["train"]):
        frame = pipeline.decoded(stored, manifest, with_flows=True)
        row = [frame["image_real"].numpy()]
        row += [frame["image_cg"].numpy()] if manifest.has_cg else []
        row += [manifest.classes.colorize(frame["labels"].numpy())]
        row += [frame["edges"].numpy().astype(np.float32)]
        flow = frame["flow_real"].numpy() if "flow_real" in frame else None
        row += [np.full_like(row[0], 255) if flow is None else flow_to_color(flow)]
        rows.append(row)
    titles = ["real", *["simulator"] * manifest.has_cg, "labels", "edges", "flow"]
    sheet = contact_sheet(rows, titles)
    with written_whole(folder / NAME) as partial:
        Image.fromarray(sheet).save(partial, format="png", optimize=True)


def _some(folder: Path, split: Split) -> Iterator[pipeline.Stored]:
    """The first records of some shards, so that little is read."""
    shards = [shard for shard in split.shards if shard["records"]]
    for index in sampling.evenly_spaced(len(shards), _ROWS):
        part = Split(records=0, pairs=0, shards=[shards[index]], sequences=[])
        yield next(pipeline.stored_records(folder, part))


def lines(manifest: Manifest) -> list[str]:
    """A table of the classes' shares, and what is odd about them, to be printed."""
    table = shares(manifest)
    said = [f"{'class':<20}{'train':>10}{'validation':>12}"] if table else []
    for name, columns in table.items():
        cells = ["" if share is None else f"{share:.2%}" for share in columns]
        said.append(f"{name:<20}{cells[0]:>10}{cells[1]:>12}")
    return said + [f"Note: {sentence}" for sentence in oddities(manifest)]


def shares(manifest: Manifest) -> dict[str, list[float | None]]:
    """The share of the pixels that each class, and void, has in training and validation frames.

    None where a part has no frames; nothing where shards are of a version that did not count.
    """
    names = [*manifest.classes.names, "void"]
    parts = [np.array(manifest.splits[part].class_pixels) for part in ("train", "validation")]
    if not len(parts[0]):
        return {}
    columns = [part / part.sum() if part.sum() else None for part in parts]
    return {
        name: [None if column is None else float(column[index]) for column in columns]
        for index, name in enumerate(names)
    }


def oddities(manifest: Manifest) -> list[str]:
    """What speaks against the class table that the label maps were read with, a sentence each."""
    found = {name: column[0] or 0.0 for name, column in shares(manifest).items()}
    table, check = manifest.classes.name, f"look at {NAME}, and at what the label maps hold"
    odd = []
    if found.get("void", 0) > _MOST_VOID:
        odd.append(
            f"{found['void']:.0%} of the pixels are void; is {table!r} the class table that the "
            f"label maps were made with? {check}{_hint(table)}"
        )
    for name in sorted(_SMALL & found.keys()):
        if found[name] > _MOST_SMALL:
            odd.append(
                f"{found[name]:.0%} of the pixels are {name!r}, more than in any street; is "
                f"{table!r} the class table that the label maps were made with? {check}"
                f"{_hint(table)}"
            )
    if "road" in found and not any(found.get(name) for name in _GROUND):
        odd.append(f"no pixel is 'road'; {check}{_hint(table)}")
    return odd


def _hint(table: str) -> str:
    """What the ids of a table are taken for most often."""
    if table == "cityscapes":
        return "; if they hold trainIds, their table is cityscapes-trainids"
    if table.startswith("carla"):
        return "; CARLA's tags changed with 0.9.14, so there are two tables"
    return ""
