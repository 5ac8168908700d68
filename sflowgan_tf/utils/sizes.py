"""Sizes of pictures as users write them."""

from sflowgan_tf.utils.errors import UserError


def size(text: str, name: str = "size") -> tuple[int, int]:
    """(width, height) of a text such as "512x256"; UserError names the argument otherwise."""
    width, times, height = text.partition("x")
    if not (times and width.isdigit() and height.isdigit() and min(int(width), int(height)) > 1):
        raise UserError(
            f"{name}: expected WIDTHxHEIGHT such as 512x256, both 2 or more, got {text!r}"
        )
    return int(width), int(height)
