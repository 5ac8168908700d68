"""Each workload does what it says, once after the other, and says what it counts."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import sflowgan_tf
from sflowgan_tf import config as settings
from sflowgan_tf.benchmarking.task import (
    ALL,
    BARE,
    BATCHES,
    DECODING,
    FORWARD,
    FRECHET,
    KID,
    ONE_PROCESS,
    OPENCV,
    READING,
    STEADIED,
    WITH_GRADIENT,
    Task,
)
from sflowgan_tf.benchmarking.workloads import workload
from sflowgan_tf.config import Appearance, Dned, Phases
from sflowgan_tf.data.manifest import NAME, Manifest
from sflowgan_tf.data.media import pictures
from sflowgan_tf.data.media.videos import VideoFile
from sflowgan_tf.utils.errors import UserError
from tests.tiny import TINY


def made(folder, name, config=TINY, **changes):
    file = folder / "config.yaml"
    settings.save(config, file)
    task = Task(workload=name, config=str(file), classes="synthia", size="64x32", batch=2)
    return workload(dataclasses.replace(task, **({"phase": "dned"} | changes)))


def records_of(folder):
    return [*folder.rglob(NAME)]


@pytest.mark.parametrize("phase", ["edges", "dned", "video"])
def test_a_step_is_an_update_of_all_networks(tmp_path, phase):
    config = dataclasses.replace(TINY, phases=Phases(edges=1, dned=1, video=1))
    step = made(tmp_path, "step", config, phase=phase)
    before = step.gan.generator.get_weights()[0].copy()
    step.run()
    step.run()
    assert int(step.gan.step) == 2
    assert (step.gan.generator.get_weights()[0] != before).any()
    figures = step.figures()
    assert figures["items"] == 2
    assert figures["parameters"]["generator"] == step.gan.generator.count_params()
    assert figures["operations"] > 0


def test_a_batch_of_two_takes_twice_the_operations_of_one(tmp_path):
    config = dataclasses.replace(TINY, edge_map="none", dned=Dned(filters=1))
    one, two = (
        made(tmp_path, "inference", config, batch=batch).figures()["operations"] for batch in (1, 2)
    )
    assert two == pytest.approx(2 * one, rel=1e-3)


@pytest.mark.parametrize("edge_map", ["laplacian", "none", "instances"])
@pytest.mark.parametrize("appearance", ["none", "regions"])
def test_scenes_are_painted_with_each_kind_of_edges_and_colours(tmp_path, edge_map, appearance):
    config = dataclasses.replace(
        TINY, edge_map=edge_map, appearance=Appearance(kind=appearance, cell=8)
    )
    painting = made(tmp_path, "inference", config)
    painting.run()
    assert painting.figures()["operations"] > 0
    assert ("dned" in painting.parameters) == (edge_map == "laplacian")


@pytest.mark.parametrize("form", [FORWARD, WITH_GRADIENT, OPENCV])
def test_the_flow_has_three_forms(tmp_path, form):
    flow = made(tmp_path, "flow", form=form)
    flow.run()
    assert (flow.figures()["operations"] is None) == (form == OPENCV)


def test_a_flow_with_its_gradient_takes_more_operations(tmp_path):
    forward, both = (
        made(tmp_path, "flow", form=form).operations for form in (FORWARD, WITH_GRADIENT)
    )
    assert both > forward


def test_the_pipeline_goes_on_through_its_epochs(tmp_path):
    pipeline = made(tmp_path, "pipeline", classes="")
    pipeline.run()  # 16 frames are drawn: an epoch has 8 batches, a run several epochs
    figures = pipeline.figures()
    # labels, edges and image_real, a byte each
    assert figures["bytes"] == BATCHES * 2 * 64 * 32 * (1 + 1 + 3)
    assert figures["items"] == 2 * BATCHES
    assert abs(figures["grown_bytes"]) < 1e9


def test_a_rival_finds_the_training_frames_as_pngs(tmp_path):
    made(tmp_path, "pipeline", classes="", pictures=str(tmp_path / "pictures"))
    files = {f.parent.name: f for f in sorted((tmp_path / "pictures").rglob("000015.png"))}
    assert files.keys() == {"image_real", "labels", "edges"}
    shapes = {name: pictures.read_numbers(file).shape for name, file in files.items()}
    assert shapes == {"image_real": (32, 64, 3), "labels": (32, 64), "edges": (32, 64)}
    assert {*np.unique(pictures.read_numbers(files["edges"]))} == {0, 255}


def test_an_update_waits_for_its_batch(tmp_path):
    training = made(tmp_path, "training")
    for _ in range(3):
        training.run()
    assert int(training.gan.step) == 3
    assert 0 < training.figures()["waiting"] < 1


def test_a_street_has_eight_frames(tmp_path):
    drawing = made(tmp_path, "minicity", classes="")
    drawing.run()
    assert drawing.figures()["items"] == 8


@pytest.mark.parametrize("form", [STEADIED, BARE])
def test_a_film_is_made_and_its_scenes_are_painted_alone(tmp_path, form):
    released = Path(sflowgan_tf.__file__).parent / "released" / "minicity"
    film = made(tmp_path, "film", classes="", form=form, model=str(released))
    film.run()
    films = [*tmp_path.rglob("film.mp4")]
    assert len(films) == (form != BARE)
    if films:
        frames = [*VideoFile(films[0]).images(0)]
        assert len(frames) == film.figures()["items"]


def test_a_batch_must_not_be_larger_than_the_records(tmp_path):
    with pytest.raises(UserError, match="--batches 17"):
        made(tmp_path, "pipeline", batch=17)


def test_frames_are_prepared_again_and_again(tmp_path):
    preparing = made(tmp_path, "prepare", form=ONE_PROCESS, raw="128x64")
    preparing.run()
    first = preparing.figures()
    preparing.run()
    assert first["bytes"] == preparing.figures()["bytes"]  # the same records anew
    assert first["items"] == 64
    assert {Manifest.load(f.parent).splits["train"].records for f in records_of(tmp_path)} == {64}


def test_decoding_alone_makes_no_records(tmp_path):
    decoding = made(tmp_path, "prepare", form=DECODING, raw="128x64")
    decoding.run()
    assert decoding.figures()["items"] == 64
    assert not records_of(tmp_path)


@pytest.mark.parametrize("form", [ALL, READING, "temporal"])
def test_all_frames_are_measured(tmp_path, form):
    scoring = made(tmp_path, "evaluate", classes="", form=form)
    scoring.run()
    assert scoring.figures()["items"] == 16


def test_distances_are_of_three_thousand_frames(tmp_path):
    for form in (FRECHET, KID):
        assert made(tmp_path, "evaluate", classes="", form=form).figures()["items"] == 3000


def test_the_same_seed_draws_the_same(tmp_path):
    one, other = (made(tmp_path, "step", seed=3).batch["image_real"] for _ in range(2))
    assert (one.numpy() == other.numpy()).all()
