"""What is painted and trained with a run, and what is refused."""

import functools
import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.end_to_end.commands import FIT, call, killed


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with records and one whole run in it."""
    folder = tmp_path_factory.mktemp("home")
    call("fit", *FIT, "--run", "whole", folder=folder)
    return folder


def test_another_configuration_is_refused_with_the_keys(home):
    more = ("--run", "whole", "generator.blocks=2", "--seed", "7")
    _, err = call("fit", *FIT, *more, folder=home, code=2)
    assert "generator.blocks: 1 -> 2; seed: 0 -> 7" in err


def test_labels_and_frames_become_pictures_that_say_how_they_were_made(home):
    scene = next((home / "datasets/minicity/raw").glob("MINICITY-SEQS-01-*"))
    labels, frames = (scene / d / "Stereo_Left/Omni_F" for d in ("GT/LABELS", "RGB"))
    flags = ["--run", "whole", "--labels", labels, "--frames", frames, "--output", "painted"]
    out, _ = call("translate", *flags, "--variations", "3", "--seed", "5", folder=home)
    names = sorted(path.name for path in frames.glob("*.png"))
    for variation in (1, 2, 3):
        folder = home / f"painted/variation-{variation}"
        assert sorted(path.name for path in folder.glob("*.png")) == names
    with Image.open(home / "painted/variation-2" / names[0]) as picture:
        assert picture.size == (64, 32)
        texts = picture.text
    assert (texts["run"], texts["step"], texts["seed"]) == ("whole", "24", "5")
    assert len(texts["ensemble_weights"].split()) == 6
    assert (home / "painted/contact-sheet.png").is_file()
    assert "12 pictures" in out


def test_a_killed_film_goes_on_and_ends_with_the_same_bytes(home, tmp_path):
    scene = next((home / "datasets/minicity/raw").glob("MINICITY-SEQS-01-*"))
    for name, kind in (("labels", "GT/LABELS"), ("frames", "RGB")):
        drawn = sorted((scene / kind / "Stereo_Left/Omni_F").glob("*.png"))
        (tmp_path / name).mkdir()
        for number in range(160):  # to and fro
            there_and_back = [*drawn, *drawn[-2:0:-1]]
            shutil.copy(there_and_back[number % 6], tmp_path / name / f"{number}.png")
    flags = ["--run", "whole", "--labels", tmp_path / "labels", "--frames", tmp_path / "frames"]
    flags += ["--variations", "2", "--side-by-side", "--fps", "10", "--output"]
    moment = "killed/.film.mp4.pieces/000001-2.mp4"
    killed("translate", *flags, "killed/film.mp4", moment=moment, folder=home)
    assert not list(home.glob("killed/film*.mp4"))
    out, err = call("translate", *flags, "killed/film.mp4", folder=home)
    assert "film-2.mp4, 160 frames, 192x32, 10 a second" in out
    assert "frame/s" in err, "no progress with a rate"
    call("translate", *flags, "whole/film.mp4", folder=home)
    names = sorted(path.name for path in (home / "killed").iterdir())
    assert names == ["film-1.mp4", "film-2.mp4"]
    films = {
        path.name: [path.read_bytes(), (home / "whole" / path.name).read_bytes()]
        for path in (home / "killed").iterdir()
    }
    assert films["film-1.mp4"][0] != films["film-2.mp4"][0]
    assert all(killed == whole for killed, whole in films.values())


SEGMENTER = [
    "segmenter.kind=small",
    "segmenter.filters=2",
    "segmenter.epochs=2",
    "segmenter.pipeline.batch_size=2",
    "segmenter.pipeline.max_scale=1.5",
]


def test_a_segmenter_is_trained_beside_the_gan(home):
    segment = functools.partial(call, "segment", "fit", *FIT, *SEGMENTER, folder=home)
    out, _ = segment()
    lines = out.splitlines()
    assert lines[0] == "Scores of the validation frames, void ignored (void counted as wrong):"
    assert 0 < float(lines[1].split()[2]) < 1
    assert lines[-4:][1].split() == ["Run:", "runs/minicity-segmenter"]
    again, _ = segment("generator.filters=8", "phases.edges=7")
    assert again == out
    _, err = segment("--seed", "3", "segmenter.filters=4", code=2)
    assert "segmenter.filters: 2 -> 4; seed: 0 -> 3" in err
    _, err = segment("--run", "whole", code=2)
    assert "task: translation -> segmentation" in err


def test_an_id_outside_the_table_is_named_with_its_file(home, tmp_path):
    for folder in ("labels", "frames"):
        (tmp_path / folder).mkdir()
    ids = np.zeros((32, 64, 3), np.uint16)
    ids[..., 2] = 77
    cv2.imwrite(str(tmp_path / "labels/000000.png"), ids)
    cv2.imwrite(str(tmp_path / "frames/000000.png"), np.zeros((32, 64, 3), np.uint8))
    flags = ["--labels", tmp_path / "labels", "--frames", tmp_path / "frames"]
    flags += ["--run", "whole", "--output", tmp_path / "out"]
    _, err = call("translate", *flags, folder=home, code=2)
    assert "labels/000000.png" in err and "77" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("split", "record"), [("train", 7), ("validation", 3)])
def test_a_damaged_record_is_named(home, split, record):
    (shard,) = (home / "datasets/minicity").glob(f"{split}-*.tfrecord")
    whole = shard.read_bytes()
    try:
        shard.write_bytes(whole[:-50])
        _, err = call("fit", *FIT, "--run", "damaged", folder=home, code=2)
        assert shard.name in err and f"record {record}" in err
    finally:
        shard.write_bytes(whole)


def test_a_run_does_not_go_on_with_other_records(home):
    flags = ("--dataset", "minicity", "--output", "others", *FIT[2:])
    out, _ = call("prepare", *flags, "records.frames_per_shard=3", folder=home)
    assert "Records: others" in out
    before = (home / "runs/whole/manifest.json").read_bytes()
    _, err = call("fit", *FIT, "--run", "whole", "--data", "others", folder=home, code=2)
    assert "was begun on other records" in err
    assert (home / "runs/whole/manifest.json").read_bytes() == before


def test_missing_records_name_the_command_that_makes_them(home):
    _, err = call("fit", "--dataset", "synthia", folder=home, code=2)
    assert "python -m sflowgan_tf.prepare --dataset synthia" in err
    flags = ("--run", "paris", "--labels", ".", "--frames", ".", "--output", "x")
    _, err = call("translate", *flags, folder=home, code=2)
    assert "paris" in err and "whole" in err
