"""Each workload does what it says, once after the other, and says what it counts."""

import dataclasses

import pytest

from sflowgan_tf import config as settings
from sflowgan_tf.benchmarking.task import FORWARD, OPENCV, WITH_GRADIENT, Task
from sflowgan_tf.benchmarking.workloads import workload
from sflowgan_tf.config import Appearance, Dned, Phases
from sflowgan_tf.utils.errors import UserError
from tests.tiny import TINY


def made(folder, name, config=TINY, **changes):
    file = folder / "config.yaml"
    settings.save(config, file)
    task = Task(workload=name, config=str(file), classes="synthia", size="64x32", batch=2)
    return workload(dataclasses.replace(task, **({"phase": "dned"} | changes)))


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
    for _ in range(10):  # 16 frames are drawn: an epoch has 8 batches
        pipeline.run()
    # labels, edges and image_real, a byte each
    assert pipeline.figures()["bytes"] == 2 * 64 * 32 * (1 + 1 + 3)


def test_a_batch_must_not_be_larger_than_the_records(tmp_path):
    with pytest.raises(UserError, match="--batches 17"):
        made(tmp_path, "pipeline", batch=17)


def test_frames_are_prepared_again_and_again(tmp_path):
    preparing = made(tmp_path, "prepare")
    preparing.run()
    first = preparing.figures()
    preparing.run()
    assert first["bytes"] == preparing.figures()["bytes"]  # the same records anew
    assert first["items"] == 16


def test_all_frames_are_measured(tmp_path):
    scoring = made(tmp_path, "evaluate", classes="")
    scoring.run()
    assert scoring.figures()["items"] == 16


def test_the_same_seed_draws_the_same(tmp_path):
    one, other = (made(tmp_path, "step", seed=3).batch["image_real"] for _ in range(2))
    assert (one.numpy() == other.numpy()).all()
