"""The page of the tables, of runs with fresh networks."""

import dataclasses
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from benchmarks import tables_page
from sflowgan_tf import evaluate
from sflowgan_tf.config import Minicity
from sflowgan_tf.evaluation.result import Result
from sflowgan_tf.training import assembly
from sflowgan_tf.training.runs import Run
from tests.tiny import JUDGE, TINY, begun


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A page of two rows with two seeds each, the lines of its tables by row, and its runs."""
    path = tmp_path_factory.mktemp("tables")
    rows = {
        "ours": [Run(path / "a0"), Run(path / "a1")],
        "alone": [Run(path / "b0")] * 2,
        "video": [Run(path / "c0")] * 2,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        records = path / "records"
        drives = dataclasses.replace(TINY.records, validation_fraction=0)
        config = dataclasses.replace(TINY, records=drives, minicity=Minicity(sequences=3, frames=2))
        assembly.raw_records(config, None, records, workers=1, skip_bad=False)
        begun(str(path / "judge"), JUDGE, records)
        begun(str(rows["ours"][0].folder), TINY, records)
        begun(str(rows["ours"][1].folder), dataclasses.replace(TINY, seed=1), records)
        begun(str(path / "b0"), dataclasses.replace(TINY, edge_map="none"), records)
        video = dataclasses.replace(TINY.phases, dned=0, video=1)
        begun(str(path / "c0"), dataclasses.replace(TINY, phases=video), records)
        given = ("--reference", str(records), "--segmenter", str(path / "judge"))
        given += ("--split", "train", "--metrics", "segmentation", "paired")
        for name in ("a0", "a1", "b0"):
            more = () if name == "b0" else ("diversity",)
            assert evaluate.main(["--run", str(path / name), *given, *more]) == 0
        # No test reads the figures of row video.
        shutil.copytree(path / "a0/evaluation", path / "c0/evaluation")
        evaluations = {row: [run.folder / "evaluation" for run in rows[row]] for row in rows}
        shown = {row: runs[0] for row, runs in rows.items()}
        tables_page.write(
            evaluations,
            shown,
            records,
            split="train",
            folder=path,
            made="Made by `make tables` at commit {commits} on {dates}: 7 core minutes, 2 cores.",
            story="Each row is trained on the same streets.",
        )
    lines = re.findall(r"^\|(.*)\|$", (path / "tables.md").read_text(), re.M)
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    return path, cells, rows


def scores(run, name, **detail):
    return Result.load(run.folder / "evaluation").find(name, **detail)


def cell(cells, title, row):
    """The cell of a row in the table that has a column of that title."""
    header = next(line for line in cells if title in line)
    line = next(line for line in cells[cells.index(header) :] if line[0] == row)
    return line[header.index(title)]


def test_cells_are_means_over_the_seeds_with_the_widest_interval(written):
    _, cells, rows = written
    both = [scores(run, "l1") for run in rows["ours"]]
    mean = (both[0].value + both[1].value) / 2
    low, high = min(one.low for one in both), max(one.high for one in both)
    assert cell(cells, "L1 ↓", "ours") == f"{mean:.3f} ({low:.3f} to {high:.3f})"
    both = [scores(run, "mean_iou", void="ignored").value for run in rows["ours"]]
    assert cell(cells, "mIoU, % ↑", "ours").startswith(f"{50 * sum(both):.1f} (")


def test_every_row_stands_in_every_table_that_measures_it(written):
    _, cells, _ = written
    named = [row[0] for row in cells]
    for row, count in {"ours": 2, "alone": 2, "simulator's frames as they are": 2}.items():
        assert named.count(row) == count, row
    assert named.count("oracle: real frames") == 1, "the real frames have no distance to themselves"
    assert float(cell(cells, "diversity ↑", "ours").partition(" ")[0]) > 0
    assert cell(cells, "diversity ↑", "alone") == "", "labels alone have one version of a scene"


def test_classes_and_conditions_are_told(written):
    path, cells, _ = written
    assert any(row[0] == "road" and len(row) == 5 for row in cells)
    text = (path / "tables.md").read_text()
    assert "7 core minutes, 2 cores" in text and "segmenter run judge" in text
    assert "- perceptual: n 6 frames; network VGG16 of HED" in text
    assert "- The reference" not in text


def test_the_sheet_shows_three_scenes_in_lines_of_four_columns(written):
    with Image.open(written[0] / "tables.png") as sheet:
        width, height = sheet.size
        pixels = np.asarray(sheet)
    line = 22 + 3 * (64 + 4)
    assert width == 4 * 128 + 3 * 4
    assert height == 2 * line
    ours, alone, video = (
        pixels[line * (n // 4) :, 132 * (n % 4) :][22:86, :128] for n in range(2, 5)
    )
    np.testing.assert_array_equal(ours, video, "both are painted from the DNED's edges")
    assert not np.array_equal(ours, alone)
