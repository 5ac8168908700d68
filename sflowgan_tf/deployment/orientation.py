"""Pictures turned as their EXIF says, in a graph: the rule of `ops.orientation`."""

from collections.abc import Sequence

import tensorflow as tf

from sflowgan_tf.ops.orientation import (
    BIG_ENDIAN,
    HEAD,
    LITTLE_ENDIAN,
    MARKS,
    MIRRORED,
    TRANSPOSED,
    UPSIDE_DOWN,
    WINDOW,
)


def upright(pixels: tf.Tensor, file: tf.Tensor) -> tf.Tensor:
    """The picture (height, width, channels) of a PNG or JPEG file, a scalar string."""
    number = _orientation(file)

    def says(numbers: Sequence[int]) -> tf.Tensor:
        return tf.reduce_any(number == tf.constant(numbers, tf.uint8))

    turned = tf.cond(says(TRANSPOSED), lambda: tf.transpose(pixels, [1, 0, 2]), lambda: pixels)
    mirrored = tf.cond(says(MIRRORED), lambda: turned[:, ::-1], lambda: turned)
    return tf.cond(says(UPSIDE_DOWN), lambda: mirrored[::-1], lambda: mirrored)


def _orientation(file: tf.Tensor) -> tf.Tensor:
    """As `ops.orientation.orientation`; scalar uint8, which may be no orientation at all."""
    head = tf.io.decode_raw(tf.strings.substr(file, 0, HEAD), tf.uint8)
    start = tf.reduce_min([_first(head, mark) for mark in MARKS])
    window = head[start : start + WINDOW]
    big, little = (_first(window, entry) for entry in (BIG_ENDIAN, LITTLE_ENDIAN))
    place = tf.minimum(big + len(BIG_ENDIAN), little + len(LITTLE_ENDIAN))
    number = window[place : place + 1]
    return tf.reduce_max(tf.concat([number, tf.ones([1], tf.uint8)], axis=0))


def _first(content: tf.Tensor, part: bytes) -> tf.Tensor:
    """Where a part begins in (bytes,) uint8 for the first time; behind the end if it does not."""
    places = tf.maximum(tf.size(content) - len(part) + 1, 0)
    found = tf.fill([places], True)
    for index, byte in enumerate(part):
        found &= content[index : index + places] == byte
    first = tf.where(found)[:, 0]
    behind = tf.fill([1], tf.cast(tf.size(content), tf.int64))
    return tf.cast(tf.reduce_min(tf.concat([first, behind], axis=0)), tf.int32)
