"""A small procedural city: labels, a simulator's picture, a photograph, flow and depth.

NumPy and OpenCV alone make it; nothing is downloaded. The same seed gives the same bytes.
"""

from .frames import Frame, sequence
from .writer import made_with, write

__all__ = ["Frame", "made_with", "sequence", "write"]
