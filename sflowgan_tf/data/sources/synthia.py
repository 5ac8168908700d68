"""SYNTHIA: video sequences (SEQS), which minicity imitates, and RAND-CITYSCAPES' frames."""

import re
from pathlib import Path

from sflowgan_tf.data.sources.base import RawFrame, Source, ordered, single
from sflowgan_tf.ops.classes import onto
from sflowgan_tf.utils.listing import files_below

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
    frames, maps, photos, flows = (_by_stem(tree) for tree in (camera, labels, real, flow))
    return [
        RawFrame(
            sequence=f"{drive.name}/{view.parent}/{view.name}",
            number=int(stem),
            group=route["route"] if route else drive.name,  # in any weather
            labels=maps.get(stem, labels / file.name),
            image_real=photos.get(stem, real / file.name) if real.is_dir() else file,
            image_cg=file if real.is_dir() else None,
            instances=maps.get(stem, labels / file.name),
            motion=flows.get(stem),
        )
        for stem, file in _of_both(frames, maps, camera).items()
        if stem.isdecimal()
    ]


def _by_stem(folder: Path) -> dict[str, Path]:
    return {file.stem: file for file in files_below(folder, (".png",)) if file.parent == folder}


def _of_both(frames: dict[str, Path], maps: dict[str, Path], folder: Path) -> dict[str, Path]:
    """The frames by their stems, those too that only label maps tell of and `folder` lacks."""
    return {stem: folder / file.name for stem, file in maps.items()} | frames


def _unordered(root: Path) -> list[RawFrame]:
    labels = root / "GT" / "LABELS"
    maps = _by_stem(labels)
    return [
        single(file, found, instances=found)
        for stem, file in _of_both(_by_stem(root / "RGB"), maps, root / "RGB").items()
        for found in [maps.get(stem, labels / file.name)]
    ]
