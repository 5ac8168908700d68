"""Records like others, in which the training frames' photos are other pictures."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from sflowgan_tf.data import pipeline, records
from sflowgan_tf.data.manifest import NAME, Manifest
from sflowgan_tf.ops.edges import laplacian_edges
from sflowgan_tf.utils.disk import writing
from sflowgan_tf.utils.files import link_or_copy, written_whole

_SHARD = "train-replaced.tfrecord"


def replace_photos(
    folder: Path,
    manifest: Manifest,
    output: Path,
    picture: Callable[[pipeline.Frames], np.ndarray],
    name: str,
    *,
    tested: tuple[Path, Manifest],
) -> None:
    """Makes records of single frames for a segmenter.

    Args:
        folder: where the records lie.
        manifest: theirs.
        output: the folder of the new ones; its manifest is written last.
        picture: gives the picture of a training frame, (height, width, 3) uint8 RGB.
        name: of these pictures, for the progress bar.
        tested: folder and manifest of the records, of the same size and classes, whose validation
            frames become those of the new ones as they are.

    Raises:
        UserError: a record is damaged.
        Failure: the disk refuses.
    """
    train, validation = manifest.splits["train"], tested[1].splits["validation"]
    with writing(output):
        output.mkdir(parents=True, exist_ok=True)
        for shard in validation.shards:
            link_or_copy(tested[0] / shard["file"], output / shard["file"])
    frames = pipeline.every_frame(folder, manifest, "train")
    with (
        writing(output / _SHARD),
        written_whole(output / _SHARD) as partial,
        tf.io.TFRecordWriter(str(partial)) as writer,
    ):
        for frame in tqdm(frames, name, train.records, unit="frame"):
            writer.write(_record(frame, picture(frame), manifest))
    shards = [{"file": _SHARD, "records": train.records, "pairs": 0}]
    replaced = replace(
        manifest,
        has_cg=False,
        has_instances=False,
        has_motion=False,
        splits={"train": replace(train, shards=shards, pairs=0), "validation": validation},
    )
    with writing(output):
        replaced.save(output / NAME)


def _record(frame: pipeline.Frames, picture: np.ndarray, manifest: Manifest) -> bytes:
    edges = np.asarray(laplacian_edges(picture[None], manifest.edges))[0].astype(np.uint8)
    coded = records.code(frame["labels"].numpy(), edges, picture)
    place = {"sequence": frame["sequence"].numpy().decode(), "frame": int(frame["frame"])}
    return records.serialize([coded], None, None, **place)
