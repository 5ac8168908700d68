"""Painted scenes as films, encoded in pieces: an interruption costs one piece at most."""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from itertools import count, islice, tee
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import av
import numpy as np
from tqdm import tqdm

from sflowgan_tf.data.manifest import write_json
from sflowgan_tf.data.media import mp4
from sflowgan_tf.data.media.scenes import Scene, Scenes
from sflowgan_tf.ops.palette import Recoloring
from sflowgan_tf.translation.history import History, Motion
from sflowgan_tf.translation.painting import Painter
from sflowgan_tf.utils.ahead import ahead
from sflowgan_tf.utils.disk import writing
from sflowgan_tf.utils.errors import Failure, UserError
from sflowgan_tf.utils.locks import LOCK, locked

_PLAN = "plan.json"


class Films:
    """The versions of one sequence, an MP4 each.

    A hidden folder beside the first film holds the finished pieces of all versions, what each
    leaves to the next one (`History`), and a plan, which names all that decides the films' bytes. A
    command with the same plan goes on there; one with another plan starts anew. One command works
    there at a time. The folder goes when the films are whole.
    """

    def __init__(
        self,
        painter: Painter,
        *,
        file: Path,
        fps: Fraction,
        side_by_side: bool,
        piece: int,
        history: History,
    ):
        """Films of which nothing is painted yet.

        Args:
            painter: of the frames.
            file: of the film; where there are several versions, `-1`, `-2` and so on is appended
                to its stem.
            fps: frames a second.
            side_by_side: whether the simulator's frame and the labels stand left of the result.
            piece: frames in a piece.
            history: which steadies the films; its weight may be 0.
        """
        self.painter, self.fps, self.history = painter, fps, history
        self.side_by_side, self.piece = side_by_side, piece
        versions = range(len(painter.weights))
        self.files = [file_of_version(file, version, len(versions)) for version in versions]
        self.folder = file.with_name(f".{file.name}.pieces")

    def make(self, scenes: Scenes) -> int:
        """Paints what is missing, joins the films and returns the number of frames of each.

        Raises:
            UserError: a scene is wrong, and nothing is painted then; or another command makes the
                same film.
            Failure: a film can't be written, or a piece of it is damaged.
        """
        self._check_files(scenes)
        plan = self._plan(scenes)
        with locked(self.folder, "or choose another --output"):
            self._begin(plan)
            frames = plan["frames"]
            recolorings = [r and Recoloring.from_dict(r) for r in plan["recolorings"]]
            self._paint(scenes, frames, recolorings)
            self._join(-(-frames // self.piece))
            shutil.rmtree(self.folder)
        return frames

    def _paint(self, scenes: Scenes, frames: int, recolorings: Sequence[Recoloring | None]) -> None:
        """Paints the pieces that are missing."""
        done = next(n for n in count() if not all(file.is_file() for file in self._pieces(n)))
        if done:
            self._load_history(done - 1)
        start = min(done * self.piece, frames)
        reading = self.painter.read(scenes, start)
        with tqdm(desc="painting", total=frames, initial=start, unit="frame") as bar:
            for number in range(done, -(-frames // self.piece)):
                self._write(number, islice(reading, self.piece), recolorings, bar)

    def _join(self, pieces: int) -> None:
        for version, file in enumerate(self.files):
            written = [self._pieces(number)[version] for number in range(pieces)]
            joined = self.folder / file.name
            mp4.join(written, joined, self.painter.texts(version), self.fps)
            joined.replace(file)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the films."""
        width, height = self.painter.size
        width *= 3 if self.side_by_side else 1
        return width + width % 2, height + height % 2

    def _check_files(self, scenes: Scenes) -> None:
        inputs = [file.resolve() for file in (*scenes.labels.files, *scenes.frames.files)]
        for file in self.files:
            if file.resolve() in inputs:
                raise UserError(f"{file}: would overwrite the scenes; choose another --output")

    def _plan(self, scenes: Scenes) -> dict[str, Any]:
        """What decides the films' bytes, how many frames they will have and in which colours.

        Scenes are checked and measured, which reads all of them, unless an earlier command has
        done so.
        """
        inputs, before = self._inputs(scenes), self._earlier_plan()
        if before["made_of"] == inputs:
            return before
        frames = scenes.check(self.painter.table, one_size=True)
        recolorings = [r and r.to_dict() for r in self.painter.recolorings(scenes, frames)]
        return {"frames": frames, "made_of": inputs, "recolorings": recolorings}

    def _earlier_plan(self) -> dict[str, Any]:
        """The plan of the pieces that are there; an empty one where there are none."""
        try:
            plan = json.loads((self.folder / _PLAN).read_text())
            return {
                "frames": plan["frames"],
                "made_of": dict(plan["made_of"]),
                "recolorings": plan.get("recolorings", [None] * len(self.files)),
            }
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return {"frames": 0, "made_of": {}, "recolorings": []}

    def _begin(self, plan: dict[str, Any]) -> None:
        """Takes up the pieces of the same plan, removes others."""
        inputs, before = plan["made_of"], self._earlier_plan()["made_of"]
        is_same = before == inputs
        if before and not is_same:
            other = [key for key, value in inputs.items() if before.get(key) != value]
            print(f"{self.files[0]} was begun with another {', '.join(other)}: starts anew")
        if not is_same:
            for path in self.folder.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                elif path.name != LOCK:
                    path.unlink()
        with writing(self.folder):
            write_json(self.folder / _PLAN, plan)

    def _inputs(self, scenes: Scenes) -> dict[str, Any]:
        """Whatever decides the films' bytes; keys are for people."""
        appearance = self.painter.appearance
        colors = {"appearance": _fingerprint(appearance.files)} if appearance else {}
        return (
            self.painter.origin
            | colors
            | {
                "checkpoint": _fingerprint(self.painter.model.files),
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
        )

    def _pieces(self, number: int) -> list[Path]:
        """The files of a piece, one a version."""
        versions = range(len(self.files))
        return [self.folder / f"{number:06d}-{version + 1}.mp4" for version in versions]

    def _history_file(self, number: int) -> Path:
        """The file of what a piece leaves to the next one."""
        return self.folder / f"{number:06d}.npz"

    def _load_history(self, number: int) -> None:
        """Goes on after a piece; without its history the piece must be painted again."""
        file = self._history_file(number)
        try:
            self.history.load(file)
        except (OSError, EOFError, ValueError, BadZipFile):
            for damaged in (file, *self._pieces(number)):
                damaged.unlink(missing_ok=True)
            raise Failure(
                f"{file}: is damaged and was deleted with its piece of the film; the same command "
                "makes them anew"
            ) from None

    def _write(
        self,
        number: int,
        scenes: Iterable[Scene],
        recolorings: Sequence[Recoloring | None],
        bar: tqdm,
    ) -> None:
        with ExitStack() as stack:
            encoders = [
                stack.enter_context(mp4.encoded(file, self.fps)) for file in self._pieces(number)
            ]
            for scene, motion in ahead(self._with_motions(scenes)):
                images = np.stack([*self.painter.paint(scene, recolorings)])
                for encoder, image in zip(
                    encoders, self.history.steady(scene.frame, images, motion), strict=True
                ):
                    encoder.add(self._arranged(scene, image))
                bar.update()
            history_file = self._history_file(number)
            with writing(history_file):
                self.history.save(history_file)

    def _with_motions(self, scenes: Iterable[Scene]) -> Iterator[tuple[Scene, Motion | None]]:
        """Each scene with what `History.steady` takes for it, none before it is asked for."""
        mine, frames = tee(scenes)
        return zip(mine, self.history.motions(scene.frame for scene in frames), strict=True)

    def _arranged(self, scene: Scene, image: np.ndarray) -> np.ndarray:
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
