"""SYNTHIA: video sequences (SEQS), which minicity imitates, and RAND-CITYSCAPES' frames."""

import re
from pathlib import Path

from sflowgan_tf.data.sources.base import RawFrame, Source, ordered
from sflowgan_tf.ops.classes import onto

_EXPECTED = (
    "SYNTHIA-SEQS' <sequence>/{RGB,GT/LABELS}/Stereo_*/Omni_*/*.png or SYNTHIA-RAND-CITYSCAPES' "
    "RGB/*.png and GT/LABELS/*.png"
)
_ROUTE = re.compile(r"(?P<route>.+-SEQS-\d+)(-.+)?")
_PARTIAL = ".partial"  # minicity's writer stopped within this drive


def find(root: Path, classes: str) -> Source:
    """The frames below `root`, every camera.

    It holds the sequences' folders, or is one of them, or is RAND-CITYSCAPES itself.

    Raises:
        UserError: there are none.
    """
    unordered = (root / "RGB").is_dir() and not list(root.glob("RGB/Stereo_*"))
    frames = _unordered(root) if unordered else _sequences(root)
    name = "synthia-rand" if unordered else "synthia"
    return Source(ordered(frames, root, _EXPECTED), onto(name, classes))


def _sequences(root: Path) -> list[RawFrame]:
    pattern = "RGB/Stereo_*/Omni_*"
    cameras = [*root.glob(f"*/{pattern}"), *root.glob(pattern)]
    return [
        frame
        for camera in cameras
        if camera.parents[2].suffix != _PARTIAL
        for frame in _camera(camera)
    ]


def _camera(camera: Path) -> list[RawFrame]:
    """One camera's frames.

    A tree REAL beside RGB holds photos of the same scenes, a tree GT/FLOW the exact flow to the
    next frame.
    """
    drive, view = camera.parents[2], Path(camera.parent.name, camera.name)
    route = _ROUTE.fullmatch(drive.name)
    real, labels, flow = (drive / tree / view for tree in ("REAL", "GT/LABELS", "GT/FLOW"))
    flows = {file.name: file for file in flow.glob("*.png")}
    return [
        RawFrame(
            sequence=f"{drive.name}/{view.parent}/{view.name}",
            number=int(file.stem),
            group=route["route"] if route else drive.name,  # in any weather
            labels=labels / file.name,
            image_real=real / file.name if real.is_dir() else file,
            image_cg=file if real.is_dir() else None,
            instances=labels / file.name,
            motion=flows.get(file.name),
        )
        for file in camera.glob("*.png")
        if file.stem.isdigit()
    ]


def _unordered(root: Path) -> list[RawFrame]:
    labels = root / "GT" / "LABELS"
    return [
        RawFrame(
            sequence=file.stem,
            number=0,
            group=file.stem,
            labels=labels / file.name,
            image_real=file,
            instances=labels / file.name,
        )
        for file in (root / "RGB").glob("*.png")
    ]
