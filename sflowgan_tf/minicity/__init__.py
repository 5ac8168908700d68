"""A small procedural city: labels, a simulator's picture, a photograph, flow and depth.

NumPy and OpenCV alone make it; nothing is downloaded. The same seed gives the same bytes.
"""

from .frames import Frame, sequence
from .writer import sequence_settings, write

__all__ = ["Frame", "sequence_settings", "sequence", "write"]
