"""A simulator's drives as a tree of pictures that `prepare --dataset folder` reads."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf
from tqdm import tqdm

from sflowgan_tf.data.manifest import write_json
from sflowgan_tf.data.media import pictures
from sflowgan_tf.simulators.base import Simulator, Tick
from sflowgan_tf.utils.disk import writing
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.files import written_whole
from sflowgan_tf.utils.locks import locked
from sflowgan_tf.utils.yaml_files import read_yaml

DESCRIPTION = "folder.yaml"
# Paths below `images`: drive, camera, number; a drive's cameras see the same places.
_SEQUENCE = r"(?P<sequence>(?P<group>[^/]+)/[^/]+)/(?P<number>\d+)"


class Recording:
    """One drive of a tree, which holds those of earlier commands too.

    `images/DRIVE/CAMERA/NUMBER.png` are the frames, `labels/...` their label maps, in 16 bits: ids
    in red and instances in green where the simulator knows them, else ids alone. `depth/...` holds
    centimetres. Each file appears whole, a frame after its label map. `DRIVE.json` says what made
    the drive, `folder.yaml` how the tree is read.
    """

    def __init__(
        self, simulator: Simulator, settings: dict[str, Any], output: Path, *, depth: bool
    ):
        """A recording that is not begun.

        Args:
            simulator: which drives.
            settings: all that decides the drive, for JSON.
            output: the tree's folder.
            depth: whether depth is written, of a simulator that knows it.
        """
        self.simulator, self.output, self.depth = simulator, output, depth
        self.settings = json.loads(json.dumps(settings, default=str))
        self.drive = ""

    def make(self) -> None:
        """Records what is not there yet of the drive; `drive` is its name then.

        The drive of the same settings goes on, frame by frame, where the simulator repeats itself;
        otherwise it is a new one.

        Raises:
            UserError: the tree is another simulator's, or a command is at work there; or the
                simulator says so.
            Failure: the simulator stopped, or the disk refuses; what was recorded before stays.
        """
        with locked(self.output, "or choose another --output"):
            self.drive = self._begun() or self._next()
            start, total = self._recorded(), self.simulator.frames
            if start == total:
                return
            cameras = len(self.simulator.cameras)
            with (
                self.simulator.drive(start) as ticks,
                tqdm(
                    desc="recording", total=total * cameras, initial=start * cameras, unit="frame"
                ) as bar,
            ):
                for tick in ticks:
                    if not bar.n:
                        self._describe(tick)
                    self._write(tick)
                    bar.update()

    @property
    def drives(self) -> list[str]:
        """The names of the drives that the tree holds."""
        names = (file.stem for file in self.output.glob("drive-*.json"))
        return sorted(name for name in names if re.fullmatch(r"drive-\d+", name))

    def _begun(self) -> str | None:
        """The drive of the same settings, of a simulator that repeats itself."""
        drives = self.drives if self.simulator.repeats else []
        return next((drive for drive in drives if self._settings_of(drive) == self.settings), None)

    def _settings_of(self, drive: str) -> Any:
        file = self.output / f"{drive}.json"
        try:
            return json.loads(file.read_text())
        except ValueError:
            raise UserError(
                f"{file}: damaged, no JSON; delete it with the folders {drive} beside it"
            ) from None

    def _next(self) -> str:
        """A name that neither a drive has nor what is left of one whose JSON is gone."""
        places = (*self.output.glob("drive-*"), *self.output.glob("*/drive-*"))
        numbers = [re.fullmatch(r"drive-(\d+)", place.stem) for place in places]
        return f"drive-{max((int(number[1]) for number in numbers if number), default=0) + 1:03d}"

    def _recorded(self) -> int:
        """How many moments from the first one on are there with all of their files."""
        for number in range(self.simulator.frames):
            for camera in self.simulator.cameras:
                if not all(file.is_file() for file in self._files(camera.name, number).values()):
                    return number
        return self.simulator.frames

    def _files(self, camera: str, number: int) -> dict[str, Path]:
        """The files of a frame, by what they hold; the frame itself is the last."""
        kinds = ["labels", "depth", "images"] if self.depth else ["labels", "images"]
        place = Path(self.drive, camera, f"{number:06d}.png")
        return {kind: self.output / kind / place for kind in kinds}

    def _describe(self, tick: Tick) -> None:
        """Writes how the tree is read and what made the drive."""
        content = {"images": "images", "labels": "labels"}
        if tick.instances is not None:
            content["instances"] = "labels"
        content |= {"table": self.simulator.table, "sequence": _SEQUENCE}
        file = self.output / DESCRIPTION
        if file.exists() and read_yaml(file) != content:
            raise UserError(
                f"{file}: describes something else than drives with class table "
                f"{self.simulator.table!r}; choose another --output"
            )
        with writing(file), written_whole(file) as partial:
            partial.write_text(OmegaConf.to_yaml(OmegaConf.create(content)))
        settings = self.output / f"{self.drive}.json"
        with writing(settings):
            write_json(settings, self.settings)

    def _write(self, tick: Tick) -> None:
        made = {"images": tick.frame, "labels": tick.labels.astype(np.uint16)}
        if tick.instances is not None:
            made["labels"] = pictures.labels_and_instances(tick.labels, tick.instances)
        if tick.depth is not None:
            made["depth"] = pictures.centimetres(tick.depth)
        for kind, file in self._files(tick.camera, tick.number).items():
            with writing(file):
                file.parent.mkdir(parents=True, exist_ok=True)
                with written_whole(file) as partial:
                    partial.write_bytes(pictures.encode_png(made[kind]))
