"""How long commands take from their call to the first thing that they do.

From the repository's root, with prepared records:

    python -m benchmarks.starts [--data DIR] [--config NAME] [--repeats N] [key=value ...]

- `fit`: to the end of its first step, as its bar shows it.
- `translate`: to its first picture in the folder.
- `--help`: to its end.

Each runs in a process of its own, in turns; what has done its first thing is stopped. CPU s are
those of all its cores together.
"""

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from sflowgan_tf import minicity
from sflowgan_tf.benchmarking import machine, processor
from sflowgan_tf.utils import cli
from sflowgan_tf.utils.errors import Failure

_POLL = 0.02  # seconds between two looks
_LONGEST = 600  # seconds that are waited for
# The steps' bar when one is done; other bars come before it, as of colours that are measured.
_STEP = re.compile(rb"\| *[1-9]\d*/\d+ \[[^\]\r\n]*(step/s|s/step)")


@dataclass
class Start:
    """A command, and how one tells that it has begun.

    Attributes:
        name: for the table.
        arguments: of `python -m`, given a new folder.
        has_begun: says so, of that folder, which holds what the command printed as `said`.
        taken: seconds by the clock and of all cores, of each start.
    """

    name: str
    arguments: Callable[[Path], Sequence[str]]
    has_begun: Callable[[Path], bool]
    taken: list[tuple[float, float]] = field(default_factory=list)

    def measure(self) -> None:
        """Starts the command once more.

        Raises:
            Failure: it ended before it began, or never does.
        """
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            with open(folder / "said", "wb") as said:
                command = [sys.executable, "-m", *self.arguments(folder)]
                begun = time.perf_counter()
                process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
                try:
                    self.taken.append(self._waited(process, folder, begun))
                finally:
                    process.kill()
                    process.wait()

    def _waited(self, process: subprocess.Popen, folder: Path, begun: float) -> tuple[float, float]:
        spent = 0.0
        while (seconds := time.perf_counter() - begun) < _LONGEST:
            has_ended = process.poll() is not None
            spent = spent if has_ended else processor.seconds_of(process.pid)
            if self.has_begun(folder):
                return seconds, spent
            if has_ended:
                said = (folder / "said").read_text(errors="replace").strip()
                raise Failure(f"{self.name}: ended with exit code {process.returncode}: {said}")
            time.sleep(_POLL)
        raise Failure(f"{self.name}: has not begun within {_LONGEST} seconds")


def has_stepped(said: bytes) -> bool:
    """Whether what `fit` printed shows that its first step is done."""
    return _STEP.search(said) is not None


def starts(data: Path, config: str, overrides: Sequence[str], scenes: Path) -> list[Start]:
    """The commands that are measured.

    Args:
        data: folder of records.
        config: of the training.
        overrides: of its settings, such as those that the records were made with.
        scenes: folder of a street of minicity, which is painted by the released model.
    """

    def said(folder: Path) -> bytes:
        return (folder / "said").read_bytes()

    def fit(folder: Path) -> Sequence[str]:
        named = ("--dataset", "minicity", "--config", config, "--data", str(data))
        return "sflowgan_tf.fit", *named, "--run", str(folder / "run"), *overrides

    def translate(folder: Path) -> Sequence[str]:
        read = ("--labels", str(scenes / "GT" / "LABELS"), "--frames", str(scenes / "RGB"))
        return (
            *("sflowgan_tf.translate", "--model", "minicity", *read),
            *("--output", str(folder / "painted")),
        )

    return [
        Start("fit", fit, lambda folder: has_stepped(said(folder))),
        Start("translate", translate, lambda folder: any(folder.glob("painted/**/*.png"))),
        Start("--help", lambda _: ("sflowgan_tf.fit", "--help"), lambda f: b"--run" in said(f)),
    ]


def flags() -> argparse.ArgumentParser:
    """What the command takes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starts", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, default=Path("datasets/minicity"), metavar="DIR", help="records")
    add("--config", default="minicity", metavar="NAME", help="of the training; minicity")
    add("overrides", nargs="*", metavar="key=value", help="settings, as config.py names them")
    add("--repeats", type=cli.positive, default=3, metavar="N", help="of each; 3")
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Measures all in turns and prints a table."""
    with tempfile.TemporaryDirectory() as name:
        drawn = {"sequences": 1, "frames": 2, "seed": 0, "size": (256, 128)}
        minicity.write(Path(name), progress=None, **drawn)
        (scenes,) = Path(name).glob("*-SEQS-*")
        all_starts = starts(parsed.data.resolve(), parsed.config, parsed.overrides, scenes)
        for _ in tqdm(range(parsed.repeats), unit="round"):
            for start in all_starts:
                start.measure()
    print("| command | s, median | s, from to | CPU s |")
    print("|---|---|---|---|")
    for start in all_starts:
        seconds, spent = zip(*start.taken, strict=True)
        print(
            f"| {start.name} | {statistics.median(seconds):.2f} | {min(seconds):.2f} "
            f"{max(seconds):.2f} | {statistics.median(spent):.2f} |"
        )
    if note := machine.busy():
        print(f"Note: {note}")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    return cli.run(flags(), work, arguments)


if __name__ == "__main__":
    sys.exit(main())
