"""A trained run beside the released model of the same dataset, on the same unseen scenes."""

from pathlib import Path

import numpy as np
from PIL import Image

from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.evaluation.metrics.appearance import SMALLEST_SIDE, Look
from sflowgan_tf.ops.images import contact_sheet
from sflowgan_tf.training.assembly import restored_translator
from sflowgan_tf.training.assembly.class_comparison import class_differences
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.disk import writing
from sflowgan_tf.utils.files import written_whole

SHEET = "beside-released.png"


def compare(run: Run, released: Run, folder: Path, count: int) -> list[str]:
    """Paints validation frames with both, writes a sheet of them and puts the figures in words.

    Args:
        run: trained; the sheet lies in its `samples`.
        released: model of the package.
        folder: the run's records.
        count: frames.

    Returns:
        Lines to print; none where the two can't be compared: other classes, another edge map, no
        validation frames, or frames too small.

    Raises:
        Failure: the disk refuses the sheet.
    """
    manifest = Manifest.load(folder)
    theirs = Manifest.load(released.manifest)
    is_small = min(manifest.size) < SMALLEST_SIDE
    if class_differences(theirs.classes, manifest.classes) or is_small:
        return []
    frames = pipeline.frames(folder, manifest, "validation", count)
    painters = [restored_translator(one)[0] for one in (run, released)]
    if not frames or any(painter.edge_map == "instances" for painter in painters):
        return []
    columns = [
        [frame["image_cg"].numpy() for frame in frames],
        *(
            [painter.picture(frame, redraw=painter.redraws) for frame in frames]
            for painter in painters
        ),
        [frame["image_real"].numpy() for frame in frames],
    ]
    titles = ["given frame", "this run", "released model", "real"]
    sheet = contact_sheet([[*row] for row in zip(*columns, strict=True)], titles)
    file = run.samples / SHEET
    run.samples.mkdir(parents=True, exist_ok=True)
    with writing(file), written_whole(file) as partial:
        Image.fromarray(sheet).save(partial, "png")
    real = _figures(columns[-1])
    lines = [
        f"  {title:15} sharpness {figures[0]:.2f}, colours {figures[1]:.2f} of the real frames', "
        f"mean difference to them {difference:.1f} of 255"
        for title, pictures in zip(titles[:3], columns, strict=False)
        for figures in [_figures(pictures) / real]
        for difference in [_difference(pictures, columns[-1])]
    ]
    return [f"On {len(frames)} unseen scenes, beside the released model:", *lines, f"Both: {file}"]


def _figures(pictures: list[np.ndarray]) -> np.ndarray:
    """Mean sharpness and colourfulness."""
    looks = [Look.of(picture) for picture in pictures]
    return np.mean([(look.sharpness, look.colorfulness) for look in looks], axis=0)


def _difference(pictures: list[np.ndarray], real: list[np.ndarray]) -> float:
    return float(np.mean(np.abs(np.stack(pictures).astype(np.float32) - np.stack(real))))
