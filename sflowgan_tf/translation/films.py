"""Painted scenes as films, made in pieces, so that an interruption costs no more than one piece."""

import hashlib
import json
import shutil
from collections.abc import Iterable
from contextlib import ExitStack
from fractions import Fraction
from itertools import count, islice
from pathlib import Path
from typing import Any

import av
import numpy as np
from tqdm import tqdm

from sflowgan_tf.data.manifest import write_json
from sflowgan_tf.data.media import mp4
from sflowgan_tf.data.media.scenes import Scene, Scenes
from sflowgan_tf.translation.history import History
from sflowgan_tf.translation.painting import Painter
from sflowgan_tf.utils.errors import UserError


class Films:
    """The versions of one sequence, an MP4 each.

    A hidden folder beside the first film holds the finished pieces of all versions, what each
    leaves to the next one (`History`), and a plan: what the films are made of. A command with the
    same plan goes on there; one with another plan starts anew. The folder goes when the films are
    whole.
    """

    def __init__(
        self,
        painter: Painter,
        *,
        file: Path,
        fps: Fraction,
        side_by_side: bool,
        piece: int,
        model: list[Path],
        history: History,
    ):
        """Films that are not made yet.

        Args:
            painter: of the frames.
            file: of the film; where there are several versions, `-1`, `-2` and so on is appended
                to its stem.
            fps: frames a second.
            side_by_side: whether the given frame and the labels stand left of the result.
            piece: frames in a piece.
            model: its files, which tell it from another of the same run and step.
            history: which steadies the films; its weight may be 0.
        """
        self.painter, self.fps, self.history = painter, fps, history
        self.side_by_side, self.piece, self.model = side_by_side, piece, model
        versions = range(len(painter.weights))
        self.files = [file_of_version(file, version, len(versions)) for version in versions]
        self.folder = file.with_name(f".{file.name}.pieces")

    def make(self, scenes: Scenes) -> int:
        """Paints what is missing, joins the films and returns how many frames each has.

        Raises:
            UserError: a scene is wrong; nothing is painted then.
            Failure: a film can't be written.
        """
        self._check_files(scenes)
        frames = self._plan(scenes)
        done = next(n for n in count() if not all(f.is_file() for f in self._pieces(n)))
        pieces = -(-frames // self.piece)
        reading = self.painter.read(scenes, done * self.piece)
        start = min(done * self.piece, frames)
        if done:
            self.history.load(self._past(done - 1))
        with tqdm(desc="painting", total=frames, initial=start, unit="frame") as bar:
            for number in range(done, pieces):
                self._write(number, islice(reading, self.piece), bar)
        for version, file in enumerate(self.files):
            written = [self._pieces(number)[version] for number in range(pieces)]
            joined = self.folder / file.name
            mp4.join(written, joined, self.painter.texts(version), self.fps)
            joined.replace(file)
        shutil.rmtree(self.folder)
        return frames

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the films."""
        width, height = self.painter.size
        width *= 3 if self.side_by_side else 1
        return width + width % 2, height + height % 2

    def _check_files(self, scenes: Scenes) -> None:
        given = [file.resolve() for file in (*scenes.labels.files, *scenes.frames.files)]
        for file in self.files:
            if file.resolve() in given:
                raise UserError(f"{file}: would overwrite what is given; choose another --output")

    def _plan(self, scenes: Scenes) -> int:
        """Takes up the pieces that are there or begins; returns how many frames there will be."""
        file, made_of = self.folder / "plan.json", self._made_of(scenes)
        before = json.loads(file.read_text()) if file.is_file() else None
        if before is not None and before["made_of"] == made_of:
            return before["frames"]
        frames = scenes.check(self.painter.table, one_size=True)
        if before is not None:
            other = [key for key, value in made_of.items() if before["made_of"].get(key) != value]
            print(f"{self.files[0]} was begun with another {', '.join(other)}: starts anew")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        write_json(file, {"frames": frames, "made_of": made_of})
        return frames

    def _made_of(self, scenes: Scenes) -> dict[str, Any]:
        """Whatever decides the films' bytes; keys are for people."""
        return self.painter.origin | {
            "checkpoint": _fingerprint(self.model),
            "versions": [self.painter.texts(version) for version in range(len(self.files))],
            "size": list(self.painter.size),
            "class table": json.dumps(self.painter.table.to_dict()),
            "rate": str(self.fps),
            "arrangement": "side by side" if self.side_by_side else "result",
            "weight of the past": self.history.weight,
            "length of pieces": self.piece,
            "encoder": mp4.ENCODER | {"av": av.__version__},
            "labels": _fingerprint(scenes.labels.files),
            "frames": _fingerprint(scenes.frames.files),
        }

    def _pieces(self, number: int) -> list[Path]:
        """The files of a piece, one a version."""
        versions = range(len(self.files))
        return [self.folder / f"{number:06d}-{version + 1}.mp4" for version in versions]

    def _past(self, number: int) -> Path:
        """The file with what the next piece needs of the film so far."""
        return self.folder / f"{number:06d}.npz"

    def _write(self, number: int, scenes: Iterable[Scene], bar: tqdm) -> None:
        with ExitStack() as stack:
            encoders = [
                stack.enter_context(mp4.encoded(file, self.fps)) for file in self._pieces(number)
            ]
            for scene in scenes:
                painted = np.stack([*self.painter.paint(scene)])
                steadied = self.history.steady(scene.frame, painted)
                for encoder, image in zip(encoders, steadied, strict=True):
                    encoder.add(self._shown(scene, image))
                bar.update()
            self.history.save(self._past(number))

    def _shown(self, scene: Scene, image: np.ndarray) -> np.ndarray:
        if not self.side_by_side:
            return image
        return np.hstack([scene.frame, self.painter.table.colorize(scene.labels), image])


def _fingerprint(files: Iterable[Path]) -> str:
    """Tells whether these are still the same files: their paths, sizes and times of change."""
    facts = [(str(f.resolve()), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def file_of_version(file: Path, version: int, versions: int) -> Path:
    """`film.mp4`, or `film-1.mp4` and so on where there are several."""
    return file.with_stem(f"{file.stem}-{version + 1}") if versions > 1 else file
