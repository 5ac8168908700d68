"""Pictures of a few pixels in the codings of raw datasets."""

import cv2
import numpy as np
from PIL import Image

BLACK = np.zeros((2, 3, 3), np.uint8)  # 3x2 pixels


def write(file, pixels=BLACK, palette=None):
    """Writes numbers or RGB, 8 bits if they are not an array of 16; by default a black picture.

    With a palette, a list of RGB colours, the numbers are its indices.
    """
    pixels = np.asarray(pixels)
    pixels = pixels if pixels.dtype == np.uint16 else pixels.astype(np.uint8)
    file.parent.mkdir(parents=True, exist_ok=True)
    if palette is None:
        cv2.imwrite(str(file), pixels if pixels.ndim == 2 else pixels[..., ::-1])
    else:
        image = Image.fromarray(pixels, mode="P")
        image.putpalette([level for color in palette for level in color])
        image.save(file)
