"""Sequences on disk in the layout of SYNTHIA-SEQS, with the photographs and the flow beside."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from sflowgan_tf.errors import UserError

from .frames import Frame, sequence, weather

_VIEW = Path("Stereo_Left", "Omni_F")
_SETTINGS = "minicity.json"
_PARTIAL = ".partial"
_COLORS = {  # of the labels in GT/COLOR, as in SYNTHIA-SEQS
    1: (128, 128, 128), 2: (128, 0, 0), 3: (128, 64, 128), 4: (0, 0, 192), 5: (64, 64, 128),
    6: (128, 128, 0), 7: (192, 192, 128), 8: (64, 0, 128), 9: (192, 128, 128), 10: (64, 64, 0),
    11: (0, 128, 192), 12: (0, 172, 0), 15: (0, 128, 128),
}  # fmt: skip


def write(
    root: Path,
    *,
    sequences: int,
    frames: int,
    size: tuple[int, int],
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Write the dataset; sequences that are there already are left as they are.

    A sequence's folder appears when all of it is written, so a run that was cut off goes on with
    the sequence that it was at, and the result has the same bytes.

    Args:
        root: the folder; made if need be.
        sequences: how many; a later call may ask for more.
        frames: of each sequence.
        size: width and height in pixels, multiples of 16.
        seed: >= 0.
        progress: called after each frame with the frames done and the frames in all.

    Raises:
        UserError: the size cannot be drawn, or `root` holds sequences made with another seed, size
            or number of frames.
    """
    width, height = size
    if width % 16 or height % 16 or not (64 <= width <= 2048 and 32 <= height <= 1024):
        raise UserError(
            f"minicity's size is {width}x{height}, expected multiples of 16 from 64x32 to 2048x1024"
        )
    _settle(root, {"seed": seed, "frames": frames, "size": list(size)})
    total = sequences * frames
    for index in range(sequences):
        folder = root / f"MINICITY-SEQS-{index + 1:02d}-{weather(seed, index).name}"
        if not folder.exists():
            partial = folder.with_name(folder.name + _PARTIAL)
            shutil.rmtree(partial, ignore_errors=True)
            for number, frame in enumerate(sequence(seed, index, frames, size)):
                _write_frame(partial, number, frame)
                if progress:
                    progress(index * frames + number + 1, total)
            os.rename(partial, folder)
        elif progress:
            progress((index + 1) * frames, total)


def _settle(root: Path, settings: dict) -> None:
    """Keep the settings in the folder, or compare them with those of the sequences there."""
    path = root / _SETTINGS
    whole = [folder for folder in root.glob("MINICITY-SEQS-*") if folder.suffix != _PARTIAL]
    if path.exists() and whole:
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(f"{path} is not JSON ({error}): delete {root} to write anew") from error
        if found != settings:
            raise UserError(
                f"{root} holds sequences made with {found}, asked for were {settings}: "
                "use these settings or another folder"
            )
        return
    root.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(_SETTINGS + _PARTIAL)
    partial.write_text(json.dumps(settings) + "\n", encoding="utf-8")
    os.replace(partial, path)


def _write_frame(folder: Path, number: int, frame: Frame) -> None:
    labels = np.zeros((*frame.labels.shape, 3), np.uint16)  # BGR, as cv2 takes it
    labels[..., 2], labels[..., 1] = frame.labels, frame.instances
    palette = np.zeros((256, 3), np.uint8)
    for label, color in _COLORS.items():
        palette[label] = color
    depth = np.minimum(np.rint(frame.depth * 100), 65535).astype(np.uint16)
    images = {
        "RGB": frame.image_cg[..., ::-1],
        "REAL": frame.image_real[..., ::-1],
        "Depth": depth,
        "GT/LABELS": labels,
        "GT/COLOR": palette[frame.labels][..., ::-1],
    }
    if frame.flow is not None and frame.flow_valid is not None:
        images["GT/FLOW"] = _kitti(frame.flow, frame.flow_valid)
    for kind, image in images.items():
        path = folder / kind / _VIEW / f"{number:06d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        done, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        if not done:
            raise RuntimeError(f"OpenCV could not encode {path}")
        path.write_bytes(data.tobytes())


def _kitti(flow: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Flow as KITTI stores it: (height, width, 3) uint16, in cv2's order valid, dy, dx.

    What is too fast for 16 bits (512 pixels) is marked as not valid.
    """
    stored = np.rint(flow * 64) + 2**15
    valid = valid & ((stored >= 0) & (stored <= 65535)).all(axis=-1)
    stored = np.clip(stored, 0, 65535).astype(np.uint16)
    return np.dstack([valid.astype(np.uint16), stored[..., 1], stored[..., 0]])
