"""The one schema of the records: how they are written and how they are read.

A record is one frame, with its successor and the flow to it where the sequence goes on. So every
frame is some record's first one: training on images uses first frames, training on videos the
records with a successor.

| feature | type | length | holds |
|---|---|---|---|
| labels | bytes | 1 or 2 | PNG, 8 bits: class index or 255 |
| edges | bytes | 1 or 2 | PNG, 1 bit: Laplacian edges of image_real |
| image_real | bytes | 1 or 2 | JPEG, quality 95, 4:4:4 |
| image_cg | bytes | 0 to 2 | the same; nothing where the source has no simulator's frames |
| edges_cg | bytes | 0 to 2 | as edges, of image_cg |
| instances | bytes | 0 to 2 | PNG, 16 bits: instance number or 0; nothing where none are known |
| flow_real | bytes | 0 or 1 | KITTI's 16-bit PNG, from the first frame to the second |
| motion | bytes | 0 or 1 | the same, the exact one; nothing where the source has none |
| sequence | bytes | 1 | its name |
| frame | int64 | 1 | the first frame's number |

Only the images are lossy. Edges are made from the frames before JPEG coding; flow_real from the
frames as they are read from the record, so that it is what `ops.flow.dense_flow` makes of them.
Motion is the source's exact flow: it also says which pixels are seen in the second frame, and is
used in evaluation alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf

from sflowgan_tf.data.flow import encode_flow, flow_of_levels
from sflowgan_tf.utils.disk import refusal
from sflowgan_tf.utils.errors import Failure, UserError

_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95]
_JPEG = [*_QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
_BILEVEL = [cv2.IMWRITE_PNG_BILEVEL, 1]
_REAL_OF_CG = {"image_cg": "image_real", "edges_cg": "edges"}
REMEDY = "run prepare again with the same settings: it makes missing and damaged files anew"

_LIST: Any = tf.io.FixedLenSequenceFeature([], tf.string, allow_missing=True)
_FLOWS = tf.io.VarLenFeature(tf.string)
_PLACE = {
    "sequence": tf.io.FixedLenFeature([], tf.string),
    "frame": tf.io.FixedLenFeature([], tf.int64),
}

Coded = dict[str, bytes]
Motion = tuple[np.ndarray, np.ndarray]  # flow, and where it is valid


def code(
    labels: np.ndarray,
    edges: np.ndarray,
    image_real: np.ndarray,
    image_cg: np.ndarray | None = None,
    edges_cg: np.ndarray | None = None,
    instances: np.ndarray | None = None,
) -> Coded:
    """One frame as coded pictures.

    Args:
        labels: (height, width) uint8, class index or 255.
        edges: (height, width, 1) uint8 in {0, 1}, of the real image.
        image_real: (height, width, 3) uint8 RGB.
        image_cg: (height, width, 3) uint8 RGB, the simulator's picture; None where there is none.
        edges_cg: (height, width, 1) uint8 in {0, 1}, its edges.
        instances: (height, width) uint16, the number of the car, person and so on, or 0; None
            where they are not known.
    """
    coded = {
        "labels": _encode(".png", labels),
        "edges": _encode(".png", edges * 255, _BILEVEL),
        "image_real": _encode(".jpg", image_real[..., ::-1], _JPEG),
    }
    if image_cg is not None and edges_cg is not None:
        coded["image_cg"] = _encode(".jpg", image_cg[..., ::-1], _JPEG)
        coded["edges_cg"] = _encode(".png", edges_cg * 255, _BILEVEL)
    if instances is not None:
        coded["instances"] = _encode(".png", instances)
    return coded


def real_image(coded: Coded) -> np.ndarray:
    """Decodes the real image, as readers of the record see it: (height, width, 3) uint8 RGB."""
    bgr: Any = cv2.imdecode(np.frombuffer(coded["image_real"], np.uint8), cv2.IMREAD_COLOR)
    return bgr[..., ::-1]


def _encode(kind: str, picture: np.ndarray, options: Sequence[int] = ()) -> bytes:
    return cv2.imencode(kind, picture, options)[1].tobytes()


def serialize(
    frames: Sequence[Coded],
    flow_real: np.ndarray | None,
    motion: Motion | None,
    *,
    sequence: str,
    frame: int,
) -> bytes:
    """Serializes a record; the same arguments give the same bytes.

    Args:
        frames: the frame and, if it has one, its successor, each coded by `code`.
        flow_real: (height, width, 2) float32, pixels from the frame to its successor; None without
            successor.
        motion: the exact flow, of the same shape and unit, and where it is valid, (height, width)
            bool; None where it is not known.
        sequence: the name of the frames' sequence.
        frame: the first frame's number.

    Raises:
        ValueError: expected one frame without flow_real or two with it.
    """
    if len(frames) != 1 + (flow_real is not None):
        raise ValueError(f"expected a frame, or two with flow_real, got {len(frames)} frames")
    lists = {name: [coded[name] for coded in frames] for name in frames[0]}
    features = {name: _bytes(values) for name, values in lists.items()}
    features["flow_real"] = _bytes([] if flow_real is None else [encode_flow(flow_real)])
    features["motion"] = _bytes([] if motion is None else [encode_flow(*motion)])
    features["sequence"] = _bytes([sequence.encode()])
    features["frame"] = tf.train.Feature(int64_list=tf.train.Int64List(value=[frame]))
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString(deterministic=True)


def _bytes(values: Sequence[bytes]) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def read(file: Path) -> Iterator[tf.Tensor]:
    """The serialized records of a shard, scalar strings, in order.

    Raises:
        UserError: it is missing, truncated or its bytes have changed.
        Failure: the system can't read it.
    """
    count = 0
    try:
        for serialized in untuned(tf.data.TFRecordDataset(str(file))):
            yield serialized
            count += 1
    except tf.errors.NotFoundError:
        raise UserError(f"{file}: this shard is missing; {REMEDY}") from None
    except tf.errors.DataLossError:
        raise UserError(
            f"{file}: record {count} is damaged (truncated or overwritten); {REMEDY}"
        ) from None
    except tf.errors.OpError as error:
        reason = refusal(error) or "the system gives no reason"
        raise Failure(f"{file}: can't be read ({reason})") from None


@contextmanager
def decoding(file: Path, number: int) -> Iterator[None]:
    """Names the record that the block decodes, `number` from 0 of a shard, if that fails.

    Raises:
        UserError: it is no record of these settings, or a picture in it can't be decoded.
    """
    try:
        yield
    except tf.errors.InvalidArgumentError:
        raise UserError(
            f"{file}: record {number} is no record of this dataset, or a picture in it can't be "
            "decoded; prepare the dataset into another folder and name that with --data"
        ) from None


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The dataset without tf.data's tuner.

    On a single core the tuner keeps an iterator from closing for up to a minute, asleep: so long
    did each epoch take to end.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def parse(
    serialized: tf.Tensor,
    *,
    size: tuple[int, int],
    has_cg: bool,
    has_instances: bool,
    has_motion: bool,
    pair: bool,
) -> dict[str, tf.Tensor]:
    """Decodes a record; pictures that are not asked for are not decoded.

    Args:
        serialized: scalar string.
        size: (width, height) of the records.
        has_cg: whether they hold simulator's frames, and these are wanted; if not, image_cg and
            edges_cg are the real ones.
        has_instances: whether they hold instances, and these are wanted.
        has_motion: whether pairs hold the exact motion, and it is wanted.
        pair: False reads the first frame alone, True both and the flow; then the record must have
            a successor.

    Returns:
        labels (height, width) uint8; edges and edges_cg (height, width, 1) uint8 in {0, 1};
        image_real and image_cg (height, width, 3) uint8 RGB; instances (height, width) uint16 if
        they are wanted; sequence, string; frame, int64. With `pair`, all pictures have a leading
        axis of two frames, and the fields of `flows` are added. Shapes are static.

    Raises:
        tf.errors.InvalidArgumentError: a picture cannot be decoded or is not of `size`.
    """
    names = ["labels", "edges", "image_real"]
    names += [*_REAL_OF_CG] * has_cg + ["instances"] * has_instances
    fields = tf.io.parse_single_example(serialized, dict.fromkeys(names, _LIST) | _PLACE)
    parsed = {name: fields[name] for name in _PLACE}
    for name in names:
        decoded = [_picture(name, fields[name][index], size) for index in range(1 + pair)]
        parsed[name] = tf.stack(decoded) if pair else decoded[0]
    if pair:
        parsed |= flows(serialized, size=size, has_motion=has_motion)
    return {cg: parsed[real] for cg, real in _REAL_OF_CG.items()} | parsed


def place(serialized: tf.Tensor) -> tuple[str, int]:
    """The sequence and number of a record's first frame."""
    fields = tf.io.parse_single_example(serialized, _PLACE)
    return fields["sequence"].numpy().decode(), int(fields["frame"])


def flows(
    serialized: tf.Tensor, *, size: tuple[int, int], has_motion: bool
) -> dict[str, tf.Tensor]:
    """Decodes the flow from the first frame to the second of a record with a successor.

    The arguments are those of `parse`.

    Returns:
        flow_real and, if it is wanted, motion: (height, width, 2) float32, pixels per frame, dx and
        dy; motion_valid (height, width) bool, whether the pixel is seen in the second frame.

    Raises:
        tf.errors.InvalidArgumentError: a flow cannot be decoded or is not of `size`.
    """
    names = ["flow_real"] + ["motion"] * has_motion
    fields = tf.io.parse_single_example(serialized, dict.fromkeys(names, _LIST))
    read: dict[str, tf.Tensor] = {}
    for name in names:
        levels: Any = _decoded(tf.io.decode_png(fields[name][0], 3, tf.uint16), size)
        read[name] = flow_of_levels(tf.cast(levels[..., :2], tf.float32))
        if name == "motion":
            read["motion_valid"] = levels[..., 2] > 0
    return read


def _picture(name: str, coded: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    if name.startswith("image"):
        return _decoded(tf.io.decode_jpeg(coded, 3, dct_method="INTEGER_ACCURATE"), size)
    dtype = tf.uint16 if name == "instances" else tf.uint8
    grey: Any = _decoded(tf.io.decode_png(coded, 1, dtype), size)
    return grey // 255 if name.startswith("edges") else grey[..., 0]


def _decoded(picture: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    return tf.ensure_shape(picture, [size[1], size[0], None])


def has_successor(serialized: tf.Tensor) -> tf.Tensor:
    """Whether a record, or each of several, holds a pair; strings of any shape to scalar bool."""
    parsed: Any = tf.io.parse_example(tf.reshape(serialized, [-1]), {"flow_real": _FLOWS})
    return tf.equal(tf.size(parsed["flow_real"].values), tf.size(serialized))
