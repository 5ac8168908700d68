"""Whether pictures keep what matters of colours: traffic lights' states, hues of cars and signs.

From the repository's root, of a trained model and records that it was not trained on:

    python -m benchmarks.kept_colors MODEL --data RECORDS [--split train]

Every scene is painted as `translate` does if nothing is said, `--appearance given`. Printed are,
for the simulator's frames, the pictures and the real frames,

- the share of the traffic lights of more than 12 pixels that show the state of the simulator's
  frame, by the rule of `evaluate`'s `light_states_kept`.
- of the cars, and of the traffic signs, of at least 12 pixels whose mean colour in the simulator's
  frame has a hue (a chroma of 12 or more in CIE Lab): the share whose mean colour in the picture
  lies within 30 degrees of it, and has a chroma of 4 or more. Of a class without instances, as
  signs, all in a frame are one.
"""

import argparse
import sys
from pathlib import Path

from sflowgan_tf.utils import cli
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.quiet import import_tensorflow

import_tensorflow()

import numpy as np  # noqa: E402
from tqdm import tqdm  # noqa: E402

from sflowgan_tf.data.dataset import Records  # noqa: E402
from sflowgan_tf.evaluation.metrics import lights  # noqa: E402
from sflowgan_tf.evaluation.metrics.appearance import Objects  # noqa: E402
from sflowgan_tf.loading import load  # noqa: E402
from sflowgan_tf.ops.classes import VOID  # noqa: E402

LIGHT, OBJECTS = "traffic light", ("car", "traffic sign")
LEAST_CHROMA, VISIBLE_CHROMA = 12.0, 4.0  # of a source's hue, and of a picture's
NEAR = 30.0  # degrees


def hues_kept(source: np.ndarray, picture: np.ndarray, objects: Objects) -> np.ndarray:
    """Of the objects that have a hue in the source, whether the picture keeps it, bool."""
    before, after = (objects.colors(x)[:, 1:] for x in (source, picture))  # a and b of Lab
    chroma = [np.hypot(*colors.T) for colors in (before, after)]
    turned = np.degrees(np.arctan2(*before.T[::-1]) - np.arctan2(*after.T[::-1]))
    near = np.abs((turned + 180) % 360 - 180) <= NEAR
    return (near & (chroma[1] >= VISIBLE_CHROMA))[chroma[0] >= LEAST_CHROMA]


def flags() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.kept_colors",
        description="Measures whether pictures keep lights' states and objects' hues.",
    )
    parser.add_argument("model", help="run, exported or released model")
    parser.add_argument("--data", type=Path, required=True, help="records with simulator's frames")
    parser.add_argument("--split", default="validation", help="of the records (%(default)s)")
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Paints, and prints the table."""
    model, records = load(parsed.model), Records(parsed.data, parsed.split)
    names = records.classes.names
    missing = {LIGHT, *OBJECTS} - {*names}
    if missing:
        raise UserError(
            f"--data {parsed.data}: its class table has no {', '.join(sorted(missing))}"
        )
    light = names.index(LIGHT)
    kinds = ("simulator", "painted", "real")
    states = {kind: [0, 0] for kind in kinds}
    hues: dict[tuple[str, str], list[np.ndarray]] = {(k, o): [] for k in kinds for o in OBJECTS}
    for frame in tqdm(records, total=len(records), unit="scene"):
        labels, source = frame["labels"], frame["image_cg"]
        pictures = (source, model.translate(labels, source), frame["image_real"])
        for kind, picture in zip(kinds, pictures, strict=True):
            compared = lights.compare_states(labels, source, picture, light)
            states[kind][0] += compared.unchanged
            states[kind][1] += compared.lights
            for name in OBJECTS:
                of_class = np.where(labels == names.index(name), labels, VOID)
                objects = Objects.of(of_class, frame.get("instances"), len(names))
                hues[kind, name].append(hues_kept(source, picture, objects))
    print(f"{'':<12}{'lights':>20}" + "".join(f"{name:>22}" for name in OBJECTS))
    for kind in kinds:
        shares = [tuple(states[kind])]
        for name in OBJECTS:
            alike = np.concatenate(hues[kind, name])
            shares.append((int(alike.sum()), alike.size))
        cells = [f"{n} of {of} ({100 * n / max(of, 1):.1f} %)" for n, of in shares]
        print(f"{kind:<12}{cells[0]:>20}" + "".join(f"{cell:>22}" for cell in cells[1:]))


if __name__ == "__main__":
    sys.exit(cli.run(flags(), work))
