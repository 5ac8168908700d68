"""Teaches a small DNED the six edge maps that the released HED finds in pictures.

From the repository's root, for the files in `sflowgan_tf/networks/weights/`:

    python -m benchmarks.distil --filters 8 --output sflowgan_tf/networks/weights/dned-8.npz

The pictures are minicity's, simulator's and photograph's, each once, at a scale of 0.75 to 1.5
times 256x128. The teacher sees them enlarged twice, since on small pictures its lines come out
coarse; its maps are averaged back over 2x2 pixels and kept as uint8 in `--cache` for further calls.
The loss is the mean binary cross-entropy over the six maps, on crops; what lies near an edge of the
crop that is none of the picture does not count, since there the student sees less than the teacher.

It ends with how close the student comes on streets that it has not seen, at 256x128.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sflowgan_tf.utils.quiet import import_tensorflow

import_tensorflow()

import cv2  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from tqdm import tqdm  # noqa: E402

from sflowgan_tf import minicity  # noqa: E402
from sflowgan_tf.networks import hed  # noqa: E402
from sflowgan_tf.networks.dned import DNED  # noqa: E402
from sflowgan_tf.ops.images import contact_sheet, to_signed  # noqa: E402

SIZE = (256, 128)
SCALES = (0.75, 1.5)
CROP = (96, 128)  # rows, columns
MARGIN = 12  # pixels along an inner edge of a crop that don't count
UNSEEN = 1  # seed of the streets to compare on; those to learn from have seed 0
NAMES = ("side 1", "side 2", "side 3", "side 4", "side 5", "fused")

Example = tuple[np.ndarray, np.ndarray]  # picture (h, w, 3) uint8 RGB, maps (h, w, 6) uint8


def teacher() -> DNED:
    """The released HED on RGB in [-1, 1]."""
    network = DNED(64, weights_from="hed")
    network.build((None, None, None, 3))
    return network


def examples(seed: int, streets: int, scales: tuple[float, float], cache: Path) -> list[Example]:
    """Pictures with the teacher's maps: of each street the simulator's, then the photograph's.

    Args:
        seed: of the streets and of the scales.
        streets: how many.
        scales: least and greatest.
        cache: a folder that keeps them.
    """
    file = cache / f"{seed}-{streets}-{scales[0]:g}-{scales[1]:g}.npz"
    if not file.exists():
        rng = np.random.default_rng(seed)
        maps = tf.function(teacher(), reduce_retracing=True)
        arrays = []
        for street in tqdm(range(streets), desc=f"HED's maps, seed {seed}"):
            frame = next(minicity.sequence(seed, street, 1, SIZE))
            for image in (frame.image_cg, frame.image_real):
                scale = rng.uniform(*scales)
                width, height = (int(side * scale) for side in SIZE)
                by = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
                picture = cv2.resize(image, (width, height), interpolation=by)
                arrays += [picture, _maps_of(maps, picture)]
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(file, *arrays)
    with np.load(file) as archive:
        values = [archive[f"arr_{index}"] for index in range(len(archive.files))]
    return list(zip(values[::2], values[1::2], strict=True))


def _maps_of(maps, picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    twice = cv2.resize(picture, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC)
    outputs = tf.sigmoid(maps(to_signed(twice[None])))[0].numpy()
    mean = outputs.reshape(height, 2, width, 2, -1).mean(axis=(1, 3))
    return np.rint(255 * mean).astype(np.uint8)


def batches(pairs: list[Example], batch_size: int, seed: int) -> Iterator[tuple[np.ndarray, ...]]:
    """Random crops, mirrored at random.

    Yields:
        Pictures (batch, height, width, 3) uint8, maps (batch, height, width, 6) uint8 and what
        counts, (batch, height, width, 1) float32.
    """
    rng = np.random.default_rng(seed)
    while True:
        rows = [_crop(*pairs[rng.integers(len(pairs))], rng) for _ in range(batch_size)]
        yield tuple(np.stack(parts) for parts in zip(*rows, strict=True))


def _crop(picture: np.ndarray, maps: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    counts = np.ones(CROP, np.float32)
    window: list[slice] = []
    for axis, side in enumerate(CROP):
        room = picture.shape[axis] - side
        start = int(rng.integers(room + 1))
        window.append(slice(start, start + side))
        along = np.moveaxis(counts, axis, 0)
        if start > 0:
            along[:MARGIN] = 0
        if start < room:
            along[-MARGIN:] = 0
    parts = [picture[tuple(window)], maps[tuple(window)], counts[..., None]]
    return [part[:, ::-1] for part in parts] if rng.random() < 0.5 else parts


def train(student: DNED, pairs: list[Example], parsed: argparse.Namespace) -> None:
    """Minimises the cross-entropy; the rate falls to 0 along a cosine."""
    rate = keras.optimizers.schedules.CosineDecay(parsed.learning_rate, parsed.steps)
    adam = keras.optimizers.Adam(rate)
    adam.build(student.trainable_variables)

    @tf.function
    def step(pictures, maps, counts):
        targets = tf.cast(maps, tf.float32) / 255
        with tf.GradientTape() as tape:
            logits = student(to_signed(pictures), training=True)
            entropy = tf.nn.softplus(logits) - targets * logits
            loss = tf.reduce_sum(counts * entropy) / tf.reduce_sum(counts) / entropy.shape[-1]
        variables = student.trainable_variables
        adam.apply(tape.gradient(loss, [v.value for v in variables]), variables)
        return loss

    data = batches(pairs, parsed.batch_size, parsed.seed)
    smooth = None
    with tqdm(total=parsed.steps, desc=f"DNED of {parsed.filters}", mininterval=10) as bar:
        for _ in range(parsed.steps):
            loss = float(step(*next(data)))
            smooth = loss if smooth is None else 0.99 * smooth + 0.01 * loss
            bar.set_postfix(loss=f"{smooth:.4f}", refresh=False)
            bar.update()


def table(outputs: np.ndarray, targets: np.ndarray) -> Iterator[str]:
    """Rows of how close maps are to the teacher's, both (pictures, height, width, 6) in [0, 1]."""
    for index, name in enumerate(NAMES):
        one, other = outputs[..., index], targets[..., index]
        error = np.abs(one - other).mean()
        correlation = np.corrcoef(one.ravel(), other.ravel())[0, 1]
        edges, right = one > 0.5, other > 0.5
        score = 2 * (edges & right).sum() / max(edges.sum() + right.sum(), 1)
        share = right.mean()
        yield f"| {name} | {error:.4f} | {correlation:.3f} | {score:.3f} | {share:.3f} |"


def report(student: DNED, pairs: list[Example], sheet: Path | None) -> None:
    """Prints the figures of both kinds of pictures, and draws the fused maps of some."""
    pictures = np.stack([picture for picture, _ in pairs])
    targets = np.stack([maps for _, maps in pairs]).astype(np.float32) / 255
    network = tf.function(student)
    outputs = np.concatenate(
        [tf.sigmoid(network(to_signed(picture[None]))).numpy() for picture in pictures]
    )
    for start, kind in enumerate(("simulator", "photograph")):
        print(f"\n| {kind} | error | correlation | F | share of edges |\n|---|---|---|---|---|")
        print("\n".join(table(outputs[start::2], targets[start::2])))
    if sheet:
        rows = [
            [picture, theirs[..., 5:], ours[..., 5:], ours[..., :1], ours[..., 4:5]]
            for picture, theirs, ours in zip(pictures[:8], targets[:8], outputs[:8], strict=True)
        ]
        titles = ["picture", "HED, fused", "student, fused", "student, side 1", "student, side 5"]
        cv2.imwrite(str(sheet), contact_sheet(rows, titles)[..., ::-1])


def main() -> None:
    """Trains, writes the weights and prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.distil")
    add = parser.add_argument
    add("--filters", type=int, default=8, metavar="N", help="of the student; 8")
    add("--steps", type=int, default=6000, metavar="N", help="6000")
    add("--batch-size", type=int, default=8, metavar="N", help="crops in a step; 8")
    add("--learning-rate", type=float, default=2e-3, metavar="R", help="of Adam, at first; 2e-3")
    add("--streets", type=int, default=160, metavar="N", help="to learn from; 160")
    add("--seed", type=int, default=0, metavar="N", help="of weights and crops; 0")
    add("--output", type=Path, required=True, metavar="FILE", help="an .npz")
    add("--sheet", type=Path, metavar="FILE", help="a PNG with maps of unseen streets")
    add(
        "--cache",
        type=Path,
        default=Path(tempfile.gettempdir(), "sflowgan-distil"),
        metavar="DIR",
        help="keeps the teacher's maps",
    )
    parsed = parser.parse_args()
    keras.utils.set_random_seed(parsed.seed)
    pairs = examples(0, parsed.streets, SCALES, parsed.cache)
    unseen = examples(UNSEEN, 24, (1, 1), parsed.cache)
    student = DNED(parsed.filters)
    student.build((None, None, None, 3))
    train(student, pairs, parsed)
    hed.write_distilled(parsed.output, [layer.get_weights() for layer in student.convolutions()])
    student.set_convolutions(hed.read_distilled(parsed.output))
    report(student, unseen, parsed.sheet)


if __name__ == "__main__":
    main()
