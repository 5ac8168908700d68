import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf import config as settings
from sflowgan_tf.config import Config, Generator, Perceptual, Phases, Preparation
from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest, Split
from sflowgan_tf.networks import hed
from sflowgan_tf.networks.generator import GlobalGenerator, LocalEnhancer
from sflowgan_tf.networks.hed import HEDFeatures
from sflowgan_tf.networks.unet import UNet
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.training import assembly
from sflowgan_tf.training.checkpoints import Checkpoints
from sflowgan_tf.training.gan.image_gan import ImageGAN
from sflowgan_tf.training.gan.video_gan import VideoGAN
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.locks import locked

TABLE = TABLES["synthia"]
TINY = Config(
    dataset="synthia",
    records=Preparation(size="32x16"),
    generator=Generator(filters=4, downsamplings=1, blocks=1),
    discriminator=settings.Discriminator(filters=4),
    dned=settings.Dned(filters=2),
    perceptual=Perceptual(weights="random", filters=4),
    phases=Phases(edges=2, dned=3),
)


def changed(**more):
    return dataclasses.replace(TINY, **more)


def manifest(**more):
    values = {
        "dataset": "synthia",
        "size": (32, 16),
        "classes": TABLE,
        "edges": TINY.records.edges,
        "flow": TINY.records.flow,
        "seed": 0,
        "has_cg": False,
        "has_instances": False,
        "has_motion": False,
        "splits": {"train": split(5, 4), "validation": split(0, 0)},
        "skipped": [],
    }
    return Manifest(**(values | more))


@pytest.fixture
def in_tmp(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def finished_run(name, config=TINY, step=17):
    """A run with a checkpoint of fresh networks; returns its GAN."""
    run = Run.named(name)
    run.folder.mkdir(parents=True)
    settings.save(config, run.config)
    manifest().save(run.manifest)
    gan = assembly.gan(config, TABLE, epochs=[])
    gan.step.assign(step)
    Checkpoints(gan.state(), run.checkpoints, every_steps=1).save()
    return gan


def split(records, pairs):
    return Split(records=records, pairs=pairs, shards=[], sequences=[])


def test_the_phases_follow_each_other():
    config = changed(phases=Phases(edges=2, dned=1, video=2))
    epochs = assembly.curriculum(config, split(records=7, pairs=5))
    assert [(e.index, e.phase, e.first_step, e.last_step) for e in epochs] == [
        (0, "edges", 0, 7),
        (1, "edges", 7, 14),
        (2, "dned", 14, 21),
        (3, "video", 21, 26),
        (4, "video", 26, 31),
    ]


def test_no_phases_are_no_epochs():
    assert assembly.curriculum(changed(phases=Phases(edges=0, dned=0)), split(7, 5)) == []


def test_a_phase_video_without_pairs_is_refused_before_anything_is_trained():
    config = changed(phases=Phases(edges=1, dned=0, video=1))
    with pytest.raises(UserError, match="pairs of consecutive frames.* hold none.*phases.video=0"):
        assembly.curriculum(config, split(records=7, pairs=0))


def test_only_a_run_with_a_phase_video_has_its_gan():
    assert type(assembly.gan(TINY, TABLE, [])) is ImageGAN
    video = changed(phases=Phases(video=1), losses=settings.Losses(flow=3.0))
    gan = assembly.gan(video, TABLE, [])
    assert isinstance(gan, VideoGAN)
    assert gan.objective.losses.flow == 3.0
    assert (gan.farneback.winsize, gan.flow_from_records) == (15, True)


def test_the_perceptual_network_and_the_dned_are_those_of_the_configuration():
    perceptual = Perceptual(network="hed", slices=3, scale=0.5)
    dned = settings.Dned(weights="hed", sees="image", filters=8, trained=False)
    gan = assembly.gan(changed(perceptual=perceptual, dned=dned), TABLE, [])
    assert isinstance(gan.features, HEDFeatures) and gan.features.slices == 3
    assert gan.objective.perceptual_scale == 0.5
    assert gan.dned.stages[0][0].kernel.shape == (3, 3, 3, 8)
    assert gan.dned.trainable_variables == []
    kernel, _ = hed.dned_weights(8, 3)[0]
    np.testing.assert_array_equal(gan.dned.stages[0][0].kernel, kernel)


def test_a_run_whose_dned_is_not_trained_is_no_other_than_its_networks(in_tmp):
    """Its checkpoint holds the DNED; a run whose DNED sees something else is no start."""
    still = changed(dned=settings.Dned(filters=2, sees="image", trained=False), start_run="x")
    trained = finished_run("still", still)
    other = assembly.gan(still, TABLE, [])
    assert assembly.start_from(other, changed(dned=still.dned, start_run="still"), manifest()) == 17
    for ours, theirs in zip(other.dned.variables, trained.dned.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(UserError, match="dned.sees: image -> edges"):
        assembly.start_from(other, changed(start_run="still"), manifest())


@pytest.mark.parametrize(
    ("pipeline", "whole"),
    [
        ({"flip": True}, True),
        ({"crop": "32x16"}, True),
        ({"crop": "16x16"}, False),
        ({"max_scale": 1.5}, False),
    ],
    ids=str,
)
def test_recorded_flow_is_that_of_whole_frames(pipeline, whole):
    video = changed(phases=Phases(video=1), pipeline=settings.Pipeline(**pipeline))
    assert assembly.gan(video, TABLE, []).flow_from_records == whole


def test_a_run_starts_from_another_ones_networks(in_tmp):
    trained = finished_run("image")
    assembly.reproducible(9)
    gan = assembly.gan(TINY, TABLE, [])
    assert assembly.start_from(gan, changed(start_run="image"), manifest()) == 17
    for part in ("generator", "generator_ema", "discriminator", "dned"):
        both = zip(getattr(gan, part).variables, getattr(trained, part).variables, strict=True)
        for ours, theirs in both:
            np.testing.assert_array_equal(ours, theirs)
    assert int(gan.step) == 0


def test_without_an_average_the_generator_itself_paints(in_tmp):
    trained = finished_run("image")
    assembly.reproducible(9)
    config = changed(start_run="image", ema_decay=0.0)
    gan = assembly.gan(config, TABLE, [])
    assert gan.generator_ema is gan.generator
    assembly.start_from(gan, config, manifest())
    both = zip(gan.generator.variables, trained.generator_ema.variables, strict=True)
    for ours, theirs in both:
        np.testing.assert_array_equal(ours, theirs)


def test_a_run_of_other_networks_is_no_start(in_tmp):
    finished_run("image")
    wider = changed(generator=Generator(filters=6, downsamplings=1, blocks=1), start_run="image")
    gan = assembly.gan(wider, TABLE, [])
    other = manifest(classes=TABLES["cityscapes"])
    said = r"--from image: .*filters: 4 -> 6; classes: 13 there, 19 here; only there: .*; only here"
    with pytest.raises(UserError, match=said):
        assembly.start_from(gan, wider, other)


def test_only_a_fresh_runs_average_warms_up():
    assert assembly.gan(TINY, TABLE, []).ema_warm_up
    assert not assembly.gan(changed(start_run="image"), TABLE, []).ema_warm_up


def test_the_same_seed_builds_the_same_weights():
    weights = []
    for seed in (1, 1, 2):
        assembly.reproducible(seed)
        gan = assembly.gan(changed(seed=seed), TABLE, [])
        weights.append(gan.generator.get_weights()[0])
    assert np.array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


@pytest.mark.parametrize(
    ("kind", "network"),
    [("global", GlobalGenerator), ("local_enhancer", LocalEnhancer), ("unet", UNet)],
)
def test_the_generators_paint(kind, network):
    c = changed(generator=dataclasses.replace(TINY.generator, kind=kind))
    made = assembly.generator(c, TABLE.num_classes)
    assert isinstance(made, network)
    assert made(np.zeros((1, 16, 32, 14), np.float32)).shape == (1, 16, 32, 3)


@pytest.mark.parametrize("kind", ["global", "local_enhancer", "unet"])
def test_a_generator_that_sees_colours_sees_the_light_of_the_day(kind):
    """What all pixels have in common, which instance normalisation takes away."""
    c = dataclasses.replace(TINY.generator, kind=kind, downsamplings=2)
    config = changed(generator=c, appearance=settings.Appearance(kind="regions"))
    network = assembly.generator(config, TABLE.num_classes)
    scene = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 16, 32, TABLE.num_classes + 4))
    dark, bright = (np.concatenate([scene[..., :-3], scene[..., -3:] + d], -1) for d in (-0.5, 0.5))
    image, other = (network(x.astype(np.float32)).numpy() for x in (dark, bright))
    assert image.shape == (1, 16, 32, 3)
    assert np.abs(image - other).mean() > 1e-3


def test_an_enhancer_starts_from_a_trained_global_generator(in_tmp):
    trained = finished_run("coarse").generator_ema.trunk.get_weights()
    config = changed(
        generator=dataclasses.replace(TINY.generator, kind="local_enhancer", global_run="coarse")
    )
    gan = assembly.gan(config, TABLE, [])
    assert assembly.start_global_part(gan, config, manifest()) == 17
    for network in (gan.generator, gan.generator_ema):
        for ours, theirs in zip(network.global_generator.get_weights(), trained, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_global_run_that_does_not_fit_is_named(in_tmp):
    finished_run("coarse", changed(generator=Generator(filters=6, downsamplings=1, blocks=1)))
    generator = dataclasses.replace(TINY.generator, kind="local_enhancer", global_run="coarse")
    config = changed(generator=generator)
    gan = assembly.gan(config, TABLE, [])
    with pytest.raises(UserError, match="global_run=coarse: its generator does not fit"):
        assembly.start_global_part(gan, config, manifest())
    finished_run("drawn", changed(generator=Generator(kind="unet", filters=2, downsamplings=1)))
    drawn = dataclasses.replace(generator, global_run="drawn")
    with pytest.raises(UserError, match="global_run=drawn: has generator.kind=unet; expected a"):
        assembly.start_global_part(gan, changed(generator=drawn), manifest())
    with pytest.raises(UserError, match="global_run=coarse: .*classes: 13 there, 19 here"):
        assembly.start_global_part(gan, config, manifest(classes=TABLES["cityscapes"]))


def batch():
    draw = np.random.default_rng(0)
    return {
        "labels": tf.constant(draw.integers(0, 13, (1, 16, 32)), tf.uint8),
        "edges": tf.constant(draw.integers(0, 2, (1, 16, 32, 1)), tf.uint8),
        "image_real": tf.constant(draw.integers(0, 256, (1, 16, 32, 3)), tf.uint8),
    }


@pytest.mark.parametrize("part", ["global part", "DNED"])
def test_what_joins_late_takes_no_longer_steps_than_the_learning_rate(part):
    epochs = assembly.sequence([("edges", 1000), ("dned", 1000)])
    if part == "DNED":
        config = changed(losses=settings.Losses(dned=0.0))
    else:
        generator = dataclasses.replace(TINY.generator, kind="local_enhancer", frozen_epochs=1)
        config = changed(generator=generator)
    gan = assembly.gan(config, TABLE, epochs)
    for optimizer in (gan.generator_optimizer, gan.dned_optimizer):
        optimizer.iterations.assign(1000)  # as after a first phase in which it was not trained
    gan.enter_phase("dned")
    joining = gan.dned if part == "DNED" else gan.generator.global_generator
    before = joining.get_weights()
    gan.train_step(batch())
    moves = [np.abs(a - b).max() for a, b in zip(before, joining.get_weights(), strict=True)]
    assert 0 < max(moves) < 1.01 * config.optimizer.learning_rate


def test_a_translator_comes_back_from_a_run(in_tmp):
    gan = finished_run("street")
    translator, read, step = assembly.restored_translator(Run.existing("street"))
    assert step == 17
    assert read == manifest()
    for part, restored in (("generator_ema", translator.generator), ("dned", translator.dned)):
        for a, b in zip(getattr(gan, part).variables, restored.variables, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("phases", "step", "redraws"),
    [
        ({"edges": 2, "dned": 3}, 10, False),  # two epochs of 5 frames: nothing is redrawn so far
        ({"edges": 2, "dned": 3}, 11, True),
        ({"edges": 1, "dned": 0, "video": 1}, 6, True),
        ({"edges": 3, "dned": 0}, 15, False),
        ({"edges": 0, "dned": 1}, 0, True),  # just started from another run
    ],
)
def test_a_run_redraws_once_it_has_trained_on_redrawn_edges(in_tmp, phases, step, redraws):
    finished_run("street", changed(phases=Phases(**phases)), step)
    assert assembly.restored_translator(Run.existing("street"))[0].redraws == redraws


def test_a_segmenters_run_translates_nothing(in_tmp):
    run = Run.named("eyes")
    run.folder.mkdir(parents=True)
    settings.save(changed(task="segmentation"), run.config)
    manifest().save(run.manifest)
    with pytest.raises(UserError, match="runs/eyes is no run of fit"):
        assembly.restored_translator(run)


def test_a_run_without_checkpoint_says_so(in_tmp):
    run = Run.named("young")
    run.folder.mkdir(parents=True)
    settings.save(TINY, run.config)
    manifest().save(run.manifest)
    with pytest.raises(UserError, match="no checkpoint yet"):
        assembly.restored_translator(run)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"discriminator": settings.Discriminator(num_scales=0)}, "num_scales"),
        ({"perceptual": Perceptual(weights="random", slices=9)}, "slices"),
        ({"perceptual": Perceptual(weights="nowhere.h5")}, r"nowhere\.h5"),
    ],
    ids=str,
)
def test_settings_that_can_not_be_built_are_a_users_mistake(in_tmp, more, said):
    small = {"generator": TINY.generator} | more
    with pytest.raises(UserError, match=said):
        assembly.gan(changed(**small), TABLE, [])


def test_records_made_with_other_settings_are_refused(in_tmp):
    manifest(size=(64, 32)).save(in_tmp / "manifest.json")
    with pytest.raises(UserError, match=r"records\.size: 32x16 here, but 64x32 .*--data"):
        assembly.records(TINY, in_tmp)


def test_minicitys_records_of_other_streets_are_refused(in_tmp):
    split = Split(records=6, pairs=4, shards=[], sequences=["a", "b"])
    none = dataclasses.replace(split, records=0, pairs=0, sequences=[])
    parts = {"train": split, "validation": none}
    drawn = manifest(dataset="minicity", has_cg=True, splits=parts)
    drawn.save(in_tmp / "manifest.json")
    config = changed(dataset="minicity", minicity=settings.Minicity(sequences=2, frames=3))
    assert assembly.records(config, in_tmp) == drawn
    config = changed(dataset="minicity", minicity=settings.Minicity(sequences=3, frames=3))
    with pytest.raises(UserError, match=r"minicity\.sequences: 3 here, but 2 in the records"):
        assembly.records(config, in_tmp)
    (in_tmp / "raw/MINICITY-SEQS-00").mkdir(parents=True)
    (in_tmp / "raw/minicity.json").write_text('{"seed": 5, "frames": 3, "size": [32, 16]}')
    with pytest.raises(UserError, match=r"minicity\.seed: 7 here, but 5 in the records"):
        assembly.records(changed(dataset="minicity", minicity=settings.Minicity(seed=7)), in_tmp)


def test_minicity_is_made_by_one_training_at_a_time(in_tmp):
    with (
        locked(in_tmp / "raw", ""),
        pytest.raises(UserError, match=f"{in_tmp}/raw: another command is at work there; wait"),
    ):
        assembly.records(changed(dataset="minicity", records=Preparation(size="64x32")), in_tmp)
    assert [path.name for path in in_tmp.iterdir()] == ["raw"]


def test_records_as_configured_are_taken(in_tmp):
    manifest().save(in_tmp / "manifest.json")
    assert assembly.records(TINY, in_tmp) == manifest()


def test_records_without_instances_give_no_boundaries_between_them(in_tmp):
    config = changed(edge_map="instances")
    manifest().save(in_tmp / "manifest.json")
    with pytest.raises(UserError, match=f"edge_map=instances: the records in {in_tmp} hold no ins"):
        assembly.records(config, in_tmp)
    manifest(has_instances=True).save(in_tmp / "manifest.json")
    assert assembly.records(config, in_tmp).has_instances


def test_instances_are_read_only_where_they_are_seen(in_tmp, monkeypatch):
    asked = []

    def training(folder, manifest, *, instances, **settings):
        asked.append(instances)
        return tf.data.Dataset.range(1)

    monkeypatch.setattr(pipeline, "training", training)
    epoch = assembly.Epoch(index=0, phase="edges", first_step=0, steps=1)
    for edge_map in ("laplacian", "instances", "none"):
        assembly.batches(changed(edge_map=edge_map), in_tmp, manifest(), epoch, 0)
    assert asked == [False, True, False]


def test_edge_map_and_weights_reach_gan_and_translator():
    config = changed(edge_map="none", losses=settings.Losses(l1=100.0))
    gan = assembly.gan(config, TABLE, [])
    assert (gan.objective.edge_map, gan.objective.losses.l1) == ("none", 100.0)
    assert assembly.translator(config, manifest(), gan, None).edge_map == "none"


@pytest.mark.parametrize(
    ("edge_map", "phases", "redraws"),
    [
        ("laplacian", {"dned": 1}, True),
        ("laplacian", {"video": 1}, True),
        ("laplacian", {"edges": 1}, False),
        ("none", {"dned": 1}, False),
    ],
)
def test_scenes_have_versions_where_the_generator_was_shown_the_dneds_edges(
    edge_map, phases, redraws
):
    none = {"edges": 0, "dned": 0, "video": 0}
    config = changed(edge_map=edge_map, phases=settings.Phases(**(none | phases)))
    gan = assembly.gan(config, TABLE, [])
    assert assembly.translator(config, manifest(), gan, None).redraws == redraws


def test_raw_records_need_a_source(in_tmp):
    with pytest.raises(UserError, match="--source"):
        assembly.raw_records(TINY, None, in_tmp, workers=1, skip_bad=False)


def test_float16_scales_the_loss_of_all_three():
    assembly.reproducible(0)
    gan = assembly.gan(changed(precision="mixed_float16"), TABLE, [])
    for part in ("generator", "discriminator", "dned"):
        optimizer = getattr(gan, f"{part}_optimizer")
        assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        assert getattr(gan, part).compute_dtype == "float16"
    assert keras.config.dtype_policy().name == "float32"


def test_xla_is_not_given_up_for_deterministic_kernels():
    assembly.reproducible(0, jit_compile=True)
    assert assembly.gan(changed(jit_compile=True), TABLE, []).jit_compile


def test_records_with_other_classes_are_refused(in_tmp):
    manifest().save(in_tmp / "manifest.json")
    shared = changed(records=dataclasses.replace(TINY.records, classes="cityscapes"))
    with pytest.raises(UserError, match=r"records\.classes: cityscapes here, but synthia there"):
        assembly.records(shared, in_tmp)


def test_minicity_takes_no_source(in_tmp):
    with pytest.raises(UserError, match="--source: minicity draws its own"):
        assembly.raw_records(
            changed(dataset="minicity"), in_tmp, in_tmp / "records", workers=1, skip_bad=False
        )
