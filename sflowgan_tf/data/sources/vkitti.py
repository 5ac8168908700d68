"""Virtual KITTI 2: five drives of KITTI, rendered in many weathers, with exact flow.

Layout, colours and codings: the dataset's page (Cabon et al., Virtual KITTI 2, 2020).
"""

from pathlib import Path

import numpy as np

from sflowgan_tf.data.media.pictures import pictures, read_flow_levels, read_numbers
from sflowgan_tf.data.sources.base import RawFrame, Source, ordered
from sflowgan_tf.ops.classes import onto
from sflowgan_tf.utils.errors import UserError

_EXPECTED = (
    "Scene*/<variant>/frames/{rgb,classSegmentation}/Camera_*/ with rgb_*.jpg and classgt_*.png, "
    "all archives unpacked into this one folder"
)


def find(root: Path, classes: str) -> Source:
    """Every variant and camera of the scenes below `root`.

    Raises:
        UserError: there are none.
    """
    cameras = root.glob("Scene*/*/frames/rgb/Camera_*")
    frames = [frame for camera in cameras for frame in _camera(camera)]
    return Source(ordered(frames, root, _EXPECTED), onto("vkitti", classes))


def _camera(camera: Path) -> list[RawFrame]:
    """One camera's frames in one variant of a scene."""
    frames, variant, scene = camera.parents[1:4]
    found = []
    for photo in pictures(camera):
        prefix, _, number = photo.stem.partition("_")
        if prefix != "rgb" or not number.isdigit():
            continue
        labels, instances, motion = (
            frames / tree / camera.name / f"{name}_{number}.png"
            for tree, name in (
                ("classSegmentation", "classgt"),
                ("instanceSegmentation", "instancegt"),
                ("forwardFlow", "flow"),
            )
        )
        found.append(
            RawFrame(
                sequence=f"{scene.name}/{variant.name}/{camera.name}",
                number=int(number),
                group=scene.name,
                labels=labels,
                image_real=photo,
                instances=instances if instances.is_file() else None,
                motion=motion if motion.is_file() else None,
                instance_reader=read_instances,
                motion_reader=read_motion,
            )
        )
    return found


def read_instances(file: Path) -> np.ndarray:
    """Reads instance numbers, (height, width) uint16: palette indices, a car's track + 1, 0 none.

    Raises:
        UserError: it is unreadable, or has not one channel of 8 bits.
    """
    numbers = read_numbers(file)
    if numbers.dtype != np.uint8 or numbers.ndim != 2:
        raise UserError(f"{file}: is no instance map; expected a palette of 8 bits")
    return numbers.astype(np.uint16)


def read_motion(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Reads exact flow as `data.media.pictures.read_motion` does, in this dataset's coding.

    Levels of 16 bits stand for -1 to 1 of width - 1 (red, dx) and height - 1 (green, dy); blue is 0
    where there is no flow, as in the sky.

    Raises:
        UserError: it is unreadable, or no such PNG.
    """
    levels, valid = read_flow_levels(file)
    height, width = valid.shape
    return (levels * (2 / 65535) - 1) * np.array([width - 1, height - 1], np.float32), valid
