"""Checks inside a graph: wrong input is an InvalidArgument error with a sentence that says so.

Each function returns what it has checked. Callers go on with the returned tensor: so the check runs
before all that depends on it, also where a graph runs in parallel.
"""

from typing import Any

import tensorflow as tf

from sflowgan_tf.deployment.orientation import upright
from sflowgan_tf.ops.classes import VOID, ClassTable

_LEAST = 2  # pixels a side, which a Laplacian needs
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_DEPTH, _KIND = 24, 25  # places of a PNG's bit depth and kind of colour
_GREY, _RGB, _RGBA = b"\x00", b"\x02", b"\x06"  # kinds
_HEAD = 26


def label_map(labels: tf.Tensor, num_classes: int) -> tf.Tensor:
    """Checks that all class ids of label maps are in the table.

    Args:
        labels: (batch, height, width) uint8, not empty; class indices or VOID.
        num_classes: in the table.
    """
    wrong = tf.logical_and(labels >= num_classes, labels != VOID)
    largest = tf.reduce_max(tf.where(wrong, labels, tf.zeros_like(labels)))
    sentence = tf.strings.join(
        [
            "labels: class id ",
            tf.strings.as_string(tf.cast(largest, tf.int32)),
            f" is outside the table, which has {num_classes} classes; expected 0 to "
            f"{num_classes - 1}, or {VOID} for void",
        ]
    )
    return _checked(labels, tf.logical_not(tf.reduce_any(wrong)), sentence)


def same_size(labels: tf.Tensor, others: tf.Tensor, name: str) -> tuple[tf.Tensor, tf.Tensor]:
    """Checks that label maps and what belongs to them have one number and size, not too small.

    Args:
        labels: (batch, height, width).
        others: (batch, height, width, channels): images or edge maps.
        name: of the second argument, for the message.
    """
    sizes = tf.shape(labels), tf.shape(others)[:3]
    sentence = tf.strings.join(
        [
            f"labels and {name} differ in number, height or width: labels have ",
            _numbers(sizes[0]),
            f", {name} ",
            _numbers(sizes[1]),
        ]
    )
    labels = _checked(labels, tf.reduce_all(sizes[0] == sizes[1]), sentence)
    enough = tf.logical_and(sizes[0][0] >= 1, tf.reduce_all(sizes[0][1:] >= _LEAST))
    sentence = tf.strings.join(
        [
            f"labels: expected at least one map of {_LEAST} x {_LEAST} pixels, got ",
            _numbers(sizes[0]),
        ]
    )
    labels = _checked(labels, enough, sentence)
    with tf.control_dependencies([labels]):
        return labels, tf.identity(others)


def ensemble_weights(weights: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Checks that ensemble weights can be normalised, and are a row for each label map.

    Args:
        weights: (batch, 6) float32.
        labels: (batch, height, width).
    """
    count, wanted = tf.shape(weights)[0], tf.shape(labels)[0]
    sentence = tf.strings.join(
        [
            "ensemble_weights: expected a row for each label map, got ",
            tf.strings.as_string(count),
            " rows for ",
            tf.strings.as_string(wanted),
        ]
    )
    weights = _checked(weights, count == wanted, sentence)
    total = tf.reduce_sum(weights, axis=-1)
    fine = tf.reduce_all(weights >= 0) & tf.reduce_all((total > 0) & tf.math.is_finite(total))
    sentence = (
        "ensemble_weights: expected numbers from 0 on, in each row one that is larger, got others"
    )
    return _checked(weights, fine, sentence)


def edges(maps: tf.Tensor) -> tf.Tensor:
    """Checks that edge maps, (batch, height, width, 1) float32, lie in [0, 1]."""
    fine = tf.reduce_all((maps >= 0) & (maps <= 1))
    return _checked(maps, fine, "edges: expected numbers from 0 to 1, got others")


def colors(maps: tf.Tensor) -> tf.Tensor:
    """Checks that colours, (batch, height, width, 3) float32, lie in [0, 255]."""
    fine = tf.reduce_all((maps >= 0) & (maps <= 255))
    return _checked(maps, fine, "colors: expected numbers from 0 to 255, got others")


def recoloring(values: tf.Tensor, labels: tf.Tensor, num_classes: int, name: str) -> tf.Tensor:
    """Checks that what colours are scaled or shifted by is finite, and there for each class.

    Args:
        values: (batch, classes + 1, 3) float32, of the classes and void.
        labels: (batch, height, width).
        num_classes: in the table.
        name: of the first argument, for the message.
    """
    shape, wanted = tf.shape(values), tf.stack([tf.shape(labels)[0], num_classes + 1, 3])
    sentence = tf.strings.join(
        [
            f"{name}: expected three numbers for each label map, class and void, ",
            _numbers(wanted),
            ", got ",
            _numbers(shape),
        ]
    )
    values = _checked(values, tf.reduce_all(shape == wanted), sentence)
    fine = tf.reduce_all(tf.math.is_finite(values))
    return _checked(values, fine, f"{name}: expected finite numbers, got others")


def label_files(files: tf.Tensor, classes: ClassTable) -> tf.Tensor:
    """Decodes label maps to (batch, height, width) uint8 class indices or VOID.

    Each is a PNG of 8 bits: of one channel, which holds class indices and is not looked at further,
    or RGB or RGBA in the classes' colours, each of which must be exact. Other depths are refused,
    since decoding stretches them, and so are palettes: decoding leaves of them the colours alone,
    where the indices may mean other classes.

    Args:
        files: (batch,) string.
        classes: the class table.
    """
    files = _not_empty(files, "labels_bytes")
    heads = _heads(files)
    is_png = tf.strings.substr(heads, 0, len(_PNG)) == _PNG
    files = _checked(
        files,
        tf.reduce_all(is_png),
        "labels_bytes: expected PNG files, got something else; JPEG changes class ids",
    )
    depths, kinds = (tf.strings.substr(heads, place, 1) for place in (_DEPTH, _KIND))
    is_grey, is_color = kinds == _GREY, (kinds == _RGB) | (kinds == _RGBA)
    files = _checked(
        files,
        tf.reduce_all((depths == b"\x08") & (is_grey | is_color)),
        "labels_bytes: expected PNG files of 8 bits, of one channel, which holds class indices, or "
        "RGB or RGBA in the classes' colours; got a palette, grey with alpha or another depth",
    )
    red, green, blue = tf.unstack(_of_one_size(files, "labels_bytes", 3), axis=-1)
    are_colors = is_color[:, tf.newaxis, tf.newaxis]
    return tf.where(are_colors, _of_colors((red, green, blue), are_colors, classes), red)


def _of_colors(
    channels: tuple[tf.Tensor, tf.Tensor, tf.Tensor], are_colors: tf.Tensor, classes: ClassTable
) -> tf.Tensor:
    """Indices (batch, height, width) uint8 of colours, checked where maps hold colours.

    Args:
        channels: red, green and blue, (batch, height, width) uint8.
        are_colors: (batch, 1, 1) bool, which maps hold colours.
        classes: the class table.
    """
    indices = {_code(*color): index for color, index in classes.color_indices.items()}
    if not indices:
        sentence = f"labels_bytes: class table {classes.name!r} has no colours; send class indices"
        return _checked(channels[0], tf.logical_not(tf.reduce_any(are_colors)), sentence)
    codes = sorted(indices)
    seen = _code(*(tf.cast(channel, tf.int32) for channel in channels))
    places = tf.reshape(tf.searchsorted(codes, tf.reshape(seen, [-1])), tf.shape(seen))
    places = tf.minimum(places, len(codes) - 1)
    unknown = are_colors & (tf.gather(codes, places) != seen)
    color = tf.boolean_mask(tf.stack(channels, axis=-1), unknown)[:1]
    sentence = tf.strings.join(
        [
            "labels_bytes: colour ",
            tf.strings.reduce_join(tf.strings.as_string(color), separator=", "),
            f" is none of class table {classes.name!r}; expected the exact colour of a class, or "
            "class indices in one channel",
        ]
    )
    found = tf.gather(tf.constant([indices[code] for code in codes], tf.uint8), places)
    return _checked(found, tf.logical_not(tf.reduce_any(unknown)), sentence)


def _code(red: Any, green: Any, blue: Any) -> Any:
    """A number for each colour; of integers, or of int32 tensors."""
    return (red * 256 + green) * 256 + blue


def image_files(files: tf.Tensor) -> tf.Tensor:
    """Decodes PNG or JPEG files to (batch, height, width, 3) uint8 RGB.

    Args:
        files: (batch,) string.
    """
    files = _not_empty(files, "image_bytes")
    heads = _heads(files)
    is_png = tf.strings.substr(heads, 0, len(_PNG)) == _PNG
    is_jpeg = tf.strings.substr(heads, 0, len(_JPEG)) == _JPEG
    files = _checked(
        files,
        tf.reduce_all(is_png | is_jpeg),
        "image_bytes: expected PNG or JPEG files, got something else",
    )
    return _of_one_size(files, "image_bytes", 3)


def _not_empty(files: tf.Tensor, name: str) -> tf.Tensor:
    return _checked(files, tf.shape(files)[0] >= 1, f"{name}: expected at least one file, got none")


def _heads(files: tf.Tensor) -> tf.Tensor:
    """What files begin with, filled up with zeros."""
    return tf.strings.substr(tf.strings.join([files, b"\0" * _HEAD]), 0, _HEAD)


def _of_one_size(files: tf.Tensor, name: str, channels: int) -> tf.Tensor:
    def decoded(file: tf.Tensor) -> tf.Tensor:
        return upright(tf.io.decode_image(file, channels, expand_animations=False), file)

    first = tf.shape(decoded(files[0]))

    def alike(file: tf.Tensor) -> tf.Tensor:
        image = decoded(file)
        fits = tf.reduce_all(tf.shape(image) == first)
        sentence = f"{name}: the pictures of one request differ in size; send one request for each"
        return _checked(image, fits, sentence)

    return tf.map_fn(
        alike, files, fn_output_signature=tf.TensorSpec([None, None, channels], tf.uint8)
    )


def _numbers(shape: tf.Tensor) -> tf.Tensor:
    return tf.strings.reduce_join(tf.strings.as_string(shape), separator=" x ")


def _checked(value: tf.Tensor, condition: Any, sentence: Any) -> tf.Tensor:
    with tf.control_dependencies([tf.debugging.Assert(condition, [sentence])]):
        return tf.identity(value)
