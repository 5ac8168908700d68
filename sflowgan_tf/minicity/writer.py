"""Sequences on disk in the layout of SYNTHIA-SEQS, with the photographs and the flow beside."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from sflowgan_tf.data.flow import encode_flow
from sflowgan_tf.data.media import pictures
from sflowgan_tf.ops.classes import table
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.files import named, unfinished_folder, written_whole
from sflowgan_tf.utils.locks import locked

from .frames import Frame, sequence, weather

_VIEW = Path("Stereo_Left", "Omni_F")
_SETTINGS = "minicity.json"
_SYNTHIA = table("synthia")


def write(
    root: Path,
    *,
    sequences: int,
    frames: int,
    size: tuple[int, int],
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Writes the dataset; sequences that are there already are left as they are.

    A sequence's folder appears when all of it is written, so a call that was interrupted goes on
    with the sequence that it was at, and the result has the same bytes.

    Args:
        root: the folder; made if need be, locked meanwhile.
        sequences: how many; a later call may ask for more.
        frames: of each sequence.
        size: width and height in pixels, multiples of 16.
        seed: >= 0.
        progress: called after each frame with the frames done and the frames in all.

    Raises:
        UserError: the size cannot be drawn; `root` holds sequences made with another seed, size or
            number of frames, or another process is at work there.
        OSError: a file can't be written; the error names it.
    """
    width, height = size
    if width % 16 or height % 16 or not (64 <= width <= 2048 and 32 <= height <= 1024):
        raise UserError(
            f"minicity's size is {width}x{height}, expected multiples of 16 from 64x32 to 2048x1024"
        )
    total = sequences * frames
    with locked(root, "or use another folder"):
        for left in root.glob("*.partial"):  # by a kill, of this or an earlier version
            shutil.rmtree(left, ignore_errors=True)
        _keep_settings(root, {"seed": seed, "frames": frames, "size": list(size)})
        for index in range(sequences):
            folder = root / f"MINICITY-SEQS-{index + 1:02d}-{weather(seed, index).name}"
            if not folder.exists():
                with unfinished_folder(root, folder.name) as partial:
                    for number, frame in enumerate(sequence(seed, index, frames, size)):
                        _write_frame(partial, folder, number, frame)
                        if progress:
                            progress(index * frames + number + 1, total)
                    os.rename(partial, folder)
            elif progress:
                progress((index + 1) * frames, total)


def sequence_settings(root: Path) -> dict | None:
    """Seed, frames and size of the sequences in `root`; None where there are none.

    Raises:
        UserError: the file that says so is damaged.
    """
    path = root / _SETTINGS
    if not path.exists() or not [*root.glob("MINICITY-SEQS-*")]:
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: damaged, no JSON ({error}); use another folder") from error


def _keep_settings(root: Path, settings: dict) -> None:
    """Keeps the settings in the folder, or compares them with those of the sequences there."""
    before = sequence_settings(root)
    if before is None:
        with written_whole(root / _SETTINGS) as partial:
            partial.write_text(json.dumps(settings) + "\n", encoding="utf-8")
    elif before != settings:
        raise UserError(
            f"{root} holds sequences made with {before}, asked for were {settings}: "
            "use these settings or another folder"
        )


def _write_frame(partial: Path, folder: Path, number: int, frame: Frame) -> None:
    """Writes a frame's pictures below `partial`; errors name their places below `folder`."""
    images = {
        "RGB": frame.image_cg,
        "REAL": frame.image_real,
        "Depth": pictures.centimetres(frame.depth),
        "GT/LABELS": pictures.labels_and_instances(frame.labels, frame.instances),
        "GT/COLOR": _SYNTHIA.colorize(_SYNTHIA.encode(frame.labels)),
        "GT/LIGHTS": frame.lights,
    }
    coded = {kind: pictures.encode_png(image) for kind, image in images.items()}
    if frame.flow is not None and frame.flow_valid is not None:
        coded["GT/FLOW"] = encode_flow(frame.flow, frame.flow_valid)
    for kind, png in coded.items():
        place = Path(kind, _VIEW, f"{number:06d}.png")
        with named(folder / place):
            (partial / place).parent.mkdir(parents=True, exist_ok=True)
            (partial / place).write_bytes(png)
