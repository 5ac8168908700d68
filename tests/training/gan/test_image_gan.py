"""The joint step against a plain reference that computes each loss by itself."""

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf import losses
from sflowgan_tf.networks.generator import GlobalGenerator, LocalEnhancer, grain_variables
from sflowgan_tf.networks.unet import UNet
from sflowgan_tf.ops import images
from sflowgan_tf.ops.edges import instance_boundaries
from sflowgan_tf.ops.ensemble import ensemble
from sflowgan_tf.ops.preprocessing import region_colors
from sflowgan_tf.ops.settings import Regions

CLASSES = 3


def values(variables):
    return [variable.value for variable in variables]


def reference_gradients(gan, batch, kind="log"):
    """Each loss from its own forward passes, real and fake judged one after the other."""
    real = images.to_signed(batch["image_real"])
    edges = tf.cast(batch["edges"], tf.float32)
    seen = real if gan.objective.dned.sees == "image" else edges
    scale = gan.objective.perceptual_scale
    if gan.objective.edge_map == "instances":
        edges = instance_boundaries(batch["labels"], batch["instances"])
    redraws = gan.phase == "dned" and gan.objective.edge_map == "laplacian"
    one_hot = tf.one_hot(batch["labels"], CLASSES)
    condition = (
        tf.concat([one_hot, edges], -1) if gan.objective.discriminator_sees_edges else one_hot
    )
    equal = tf.fill([2, 6], 1 / 6)

    def fake():
        shown = ensemble(gan.dned(seen), equal) if redraws else edges
        scene = [one_hot, shown]
        if gan.objective.regions is not None:
            frames = batch["labels"].numpy(), batch["image_real"].numpy()
            colors = region_colors(*frames, CLASSES, gan.objective.regions, np)
            scene.append(tf.constant(colors / 127.5 - 1))
        return gan.generator(tf.concat(scene, -1))

    def judge(image):
        return gan.discriminator(tf.concat([condition, image], -1))

    def logits(maps):
        return [each[-1] for each in maps]

    def features(image):
        size = [int(scale * side) for side in image.shape[1:3]]
        if scale < 1:
            image = tf.image.resize(image, size, "bilinear", antialias=True)
        return gan.features(image)

    parts = {
        "gan": lambda: losses.generator_loss(logits(judge(fake())), kind),
        "matching": lambda: 10 * losses.feature_matching_loss(judge(real), judge(fake())),
        "perceptual": lambda: 10 * losses.perceptual_loss(features(real), features(fake())),
        "l1": lambda: gan.objective.losses.l1 * tf.reduce_mean(tf.abs(fake() - real)),
    }
    if gan.objective.edge_map == "laplacian":
        parts["dned"] = lambda: losses.dned_loss(gan.dned(seen), edges, equal)
    variables = gan.generator.trainable_variables + gan.dned.trainable_variables
    total = [tf.zeros_like(v) for v in variables]
    for part in parts.values():
        with tf.GradientTape() as tape:
            loss = part()
        zero = tf.UnconnectedGradients.ZERO
        gradients = tape.gradient(loss, values(variables), unconnected_gradients=zero)
        total = [t + g for t, g in zip(total, gradients, strict=True)]
    with tf.GradientTape() as tape:
        loss = losses.discriminator_loss(logits(judge(real)), logits(judge(fake())), kind)
    return total, tape.gradient(loss, values(gan.discriminator.trainable_variables))


@pytest.mark.parametrize(
    ("phase", "objective"),
    [
        ("edges", {}),
        ("dned", {}),
        ("dned", {"losses": {"gan": "lsgan"}}),
        ("edges", {"dned": {"sees": "image"}}),
        ("dned", {"dned": {"sees": "image"}, "perceptual_scale": 0.5}),
        ("dned", {"regions": Regions(cell=8, fine=(1,))}),
        ("dned", {"discriminator_sees_edges": True, "losses": {"gan": "hinge"}}),
        (
            "edges",
            {"discriminator_sees_edges": True, "edge_map": "instances", "losses": {"l1": 100.0}},
        ),
    ],
    ids=str,
)
def test_one_step_moves_the_weights_by_the_plain_gradients(make, batch, phase, objective):
    gan = make(objective=objective, scales=2 if objective else 1)
    gan.enter_phase(phase)
    both, judge = reference_gradients(gan, batch, gan.objective.losses.gan)
    networks = (
        gan.generator.trainable_variables
        + gan.dned.trainable_variables
        + gan.discriminator.trainable_variables
    )
    before = [v.numpy() for v in networks]
    largest = max(float(tf.reduce_max(tf.abs(g))) for g in both + judge)
    tf.function(gan.train_step)(batch)
    for old, variable, gradient in zip(before, networks, both + judge, strict=True):
        # The bias before an instance norm has no gradient but the rounding of larger ones.
        is_bias = variable.path.endswith("bias")
        size = largest if is_bias else float(tf.reduce_max(tf.abs(gradient)))
        allowed = 1e-5 * size + 1e-7
        moved = old - variable.numpy()
        np.testing.assert_allclose(moved, gradient, rtol=0, atol=allowed, err_msg=variable.path)


def test_the_generator_reaches_the_dned_only_in_its_phase(make, batch):
    for phase, same in (("edges", True), ("dned", False)):
        gan = make(objective={"losses": {"dned": 0.0}})
        gan.enter_phase(phase)
        before = gan.dned.get_weights()
        gan.train_step(batch)
        after = gan.dned.get_weights()
        assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True)) == same


def test_grain_learns_from_the_texture_alone(make, batch):
    """All else from the other losses, which see the grain too."""
    gan = make(partial(GlobalGenerator, 4, downsamplings=2, blocks=1, grain=True))
    gan.enter_phase("dned")
    both, _ = reference_gradients(gan, batch)
    one_hot = tf.one_hot(batch["labels"], CLASSES)
    grain, real = grain_variables(gan.generator), images.to_signed(batch["image_real"])
    with tf.GradientTape() as tape:
        shown = ensemble(gan.dned(tf.cast(batch["edges"], tf.float32)), tf.fill([2, 6], 1 / 6))
        fake = gan.generator(tf.concat([one_hot, shown], -1))
        loss = losses.texture_loss(real, fake, one_hot)
    own = {v.path: g for v, g in zip(grain, tape.gradient(loss, values(grain)), strict=True)}
    assert len(own) == 2
    variables = gan.generator.trainable_variables + gan.dned.trainable_variables
    before = [v.numpy() for v in variables]
    terms = tf.function(gan.train_step)(batch)
    assert np.isclose(terms["texture_loss"], loss)
    for old, variable, gradient in zip(before, variables, both, strict=True):
        if not variable.path.endswith("bias") or variable.path in own:
            expected = own.get(variable.path, gradient)
            allowed = 1e-4 * float(tf.reduce_max(tf.abs(expected))) + 1e-6
            moved = old - variable.numpy()
            np.testing.assert_allclose(moved, expected, atol=allowed, err_msg=variable.path)


@pytest.mark.parametrize(
    ("edge_map", "seen"), [("laplacian", "edges"), ("instances", "instances"), ("none", None)]
)
def test_the_generator_sees_its_edge_map_alone(make, batch, edge_map, seen):
    gan = make(objective={"edge_map": edge_map})
    moved = {"edges": 1 - batch["edges"], "instances": tf.roll(batch["instances"], 5, axis=2)}
    expected = float(gan.loss_terms(batch)[0]["perceptual_loss"])
    for name, value in moved.items():
        got = float(gan.loss_terms(batch | {name: value})[0]["perceptual_loss"])
        assert (got != expected) == (name == seen)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_a_dned_that_is_not_trained_stays_and_is_still_seen(make, batch, dtype):
    adam = {"optimizer": lambda: keras.optimizers.Adam(1e-3), "dtype": dtype}
    gan = make(objective={"dned": {"trained": False, "sees": "image"}}, **adam)
    gan.enter_phase("dned")
    before, painter = gan.dned.get_weights(), gan.generator.get_weights()
    step = tf.function(gan.train_step)
    logs = [step(batch) for _ in range(12)][-1]  # float16 halves its loss scale until it fits
    assert "dned_loss" not in logs and float(logs["dned_gradient"]) == 0
    for old, new in zip(before, gan.dned.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert np.any(painter[0] != gan.generator.get_weights()[0])
    moved = batch | {"edges": 1 - batch["edges"]}, batch | {"image_real": 255 - batch["image_real"]}
    expected, *got = (float(gan.loss_terms(x)[0]["generator_loss"]) for x in (batch, *moved))
    assert got[0] == expected != got[1], "the DNED sees the image alone"


def test_without_laplacian_edges_no_dned_is_trained(make, batch):
    gan = make(objective={"edge_map": "none"}, optimizer=lambda: keras.optimizers.Adam(1e-3))
    gan.enter_phase("dned")
    before = gan.dned.get_weights()
    logs = gan.train_step(batch)
    assert "dned_loss" not in logs and float(logs["dned_gradient"]) == 0
    for old, new in zip(before, gan.dned.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_weight_of_zero_leaves_its_loss_out(make, batch):
    names = ("feature_matching", "perceptual", "l1", "dned")
    gan = make(objective={"losses": dict.fromkeys(names, 0.0)})
    terms = gan.loss_terms(batch)[0]
    assert terms.keys() == {"generator_loss", "discriminator_loss"}
    assert float(gan.objective.weighted_sum(terms)) == float(terms["generator_loss"])


def test_a_unet_with_dropout_trains_and_comes_back_from_a_checkpoint(make, batch, tmp_path):
    settings = {
        "objective": {"edge_map": "none"},
        "optimizer": lambda: keras.optimizers.Adam(1e-3),
    }
    gan, other = (make(partial(UNet, 2, downsamplings=6), **settings) for _ in range(2))
    gan.train_step(batch)
    assert len(gan.generator.variables) > len(gan.generator.weights), "no state of the dropout"
    path = gan.state().checkpoint().write(str(tmp_path / "step"))
    expected = gan.train_step(batch)
    other.state().checkpoint().read(path).assert_consumed()
    got = other.train_step(batch)
    assert {k: float(v) for k, v in got.items()} == {k: float(v) for k, v in expected.items()}


def test_a_frozen_global_part_stays_while_the_enhancer_learns(make, batch):
    gan = make(partial(LocalEnhancer, 2, downsamplings=2, blocks=1, global_blocks=1))
    gan.enter_phase("edges", generator_frozen=True)
    frozen = gan.generator.global_generator.get_weights()
    before = gan.generator.get_weights()
    gan.train_step(batch)
    for old, new in zip(frozen, gan.generator.global_generator.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert any(
        not np.array_equal(a, b) for a, b in zip(before, gan.generator.get_weights(), strict=True)
    )


def test_the_average_follows_by_its_decay(make, batch):
    gan = make(ema_decay=0.999)
    start = gan.generator.get_weights()[0]
    gan.train_step(batch)
    assert int(gan.step) == 1
    moved = gan.generator.get_weights()[0]
    decay = 1 / 10
    expected = start * decay + moved * (1 - decay)
    np.testing.assert_allclose(gan.generator_ema.get_weights()[0], expected, rtol=1e-5, atol=1e-7)


def test_an_average_of_trained_weights_does_not_warm_up(make, batch):
    gan = make(ema_decay=0.75, ema_warm_up=False)
    start = gan.generator.get_weights()[0]
    gan.train_step(batch)
    expected = 0.75 * start + 0.25 * gan.generator.get_weights()[0]
    np.testing.assert_allclose(gan.generator_ema.get_weights()[0], expected, rtol=1e-5, atol=1e-7)


def test_jittered_weights_are_a_function_of_seed_and_step(make):
    jitter = {"dned": {"jitter": 1.0}}
    gan, twin, other = (make(objective=jitter, seed=seed) for seed in (0, 0, 5))
    drawn = gan.ensemble_weights(3).numpy()
    np.testing.assert_allclose(drawn.sum(-1), 1, rtol=1e-6)
    np.testing.assert_array_equal(drawn, twin.ensemble_weights(3).numpy())
    assert not np.allclose(drawn, other.ensemble_weights(3).numpy())
    gan.step.assign_add(1)
    assert not np.allclose(drawn, gan.ensemble_weights(3).numpy())


def test_the_dned_sees_pictures_sharpened_by_what_seed_and_step_draw(make, batch):
    objective = {"dned": {"sees": "image", "sharpening": 2.0}}
    gan, twin, other = (make(objective=objective, seed=seed) for seed in (0, 0, 5))
    image = images.to_signed(batch["image_real"])

    def seen(gan):
        return gan.dned_input(image, image[..., :1]).numpy()

    first = seen(gan)
    np.testing.assert_array_equal(first, seen(twin))
    assert not np.array_equal(first, seen(other))
    most = images.sharpened(image, 2.0)
    assert np.all(np.abs(first - image) <= np.abs(most - image) + 1e-6)
    assert np.abs(first - image).mean() > 0.01
    gan.step.assign_add(1)
    assert not np.array_equal(first, seen(gan))


def test_without_sharpening_the_dned_sees_pictures_as_they_are(make, batch):
    image = images.to_signed(batch["image_real"])
    gan = make(objective={"dned": {"sees": "image"}})
    np.testing.assert_array_equal(gan.dned_input(image, image[..., :1]), image)


def test_without_jitter_the_weights_are_equal(make):
    np.testing.assert_allclose(make().ensemble_weights(2), np.full((2, 6), 1 / 6), rtol=1e-6)


def test_jittered_weights_are_flat_dirichlet(make):
    drawn = make(objective={"dned": {"jitter": 1.0}}).ensemble_weights(4000).numpy()
    np.testing.assert_allclose(drawn.mean(axis=0), 1 / 6, atol=0.01)
    np.testing.assert_allclose(drawn.var(axis=0), 5 / (36 * 7), rtol=0.1)


def test_some_of_the_batch_is_jittered_by_the_share(make):
    drawn = make(objective={"dned": {"jitter": 0.5}}).ensemble_weights(400).numpy()
    share = 1 - np.mean(np.ptp(drawn, axis=-1) < 1e-6)
    assert 0.4 < share < 0.6


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_steps_are_finite_and_near_float32(make, batch, policy):
    plain = make(optimizer=lambda: keras.optimizers.SGD(1e-3))
    expected = plain.train_step(batch)
    keras.utils.set_random_seed(1)
    gan = make(optimizer=lambda: keras.optimizers.SGD(1e-3), dtype=policy)
    scaled = isinstance(gan.dned_optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (policy == "mixed_float16")
    for _ in range(12):  # float16 halves its loss scale until nothing overflows
        got = gan.train_step(batch)
        if np.isfinite(float(got["generator_gradient"])):
            break
    for name, value in expected.items():
        assert float(got[name]) == pytest.approx(float(value), rel=0.15, abs=0.02), name


def test_loss_scales_that_differ_do_not_change_the_step(make, batch):
    moved = []
    for scale in (2.0**8, 2.0**11):
        keras.utils.set_random_seed(1)
        gan = make(optimizer=lambda: keras.optimizers.SGD(1e-2), dtype="mixed_float16")
        gan.dned_optimizer.dynamic_scale.assign(scale)
        gan.generator_optimizer.dynamic_scale.assign(2.0**8)
        before = gan.dned.get_weights()[0]
        gan.train_step(batch)
        moved.append(gan.dned.get_weights()[0] - before)
    assert np.abs(moved[0]).max() > 0
    np.testing.assert_allclose(moved[0], moved[1], rtol=1e-3, atol=1e-8)


def test_a_checkpoint_brings_everything_back(make, batch, tmp_path):
    gan = make(optimizer=lambda: keras.optimizers.Adam(1e-3))
    for _ in range(2):
        gan.train_step(batch)
    path = gan.state().checkpoint().write(str(tmp_path / "step"))
    expected = gan.train_step(batch)
    other = make(optimizer=lambda: keras.optimizers.Adam(1e-3))
    other.state().checkpoint().read(path).assert_consumed()
    got = other.train_step(batch)
    assert {k: float(v) for k, v in got.items()} == {k: float(v) for k, v in expected.items()}
    for part in ("generator", "generator_ema", "discriminator", "dned", "dned_optimizer"):
        both = zip(getattr(gan, part).variables, getattr(other, part).variables, strict=True)
        for a, b in both:
            np.testing.assert_array_equal(a, b, err_msg=f"{part}: {a.path}")


def test_a_checkpoint_holds_every_weight_of_every_network(make, tmp_path):
    gan = make(partial(LocalEnhancer, 2, 2, 1, 1), scales=2)
    path = gan.state().checkpoint().write(str(tmp_path / "step"))
    stored = tf.train.load_checkpoint(path).get_variable_to_shape_map()
    for part in ("generator", "generator_ema", "discriminator", "dned"):
        count = sum(name.startswith(f"{part}/") for name in stored)
        assert count == len(getattr(gan, part).variables), part


def test_fit_trains_through_keras(make, batch):
    gan = make(optimizer=lambda: keras.optimizers.Adam(1e-3))
    first = float(gan.loss_terms(batch)[0]["perceptual_loss"])
    gan.fit(tf.data.Dataset.from_tensors(batch).repeat(15), epochs=1, verbose=0, shuffle=False)
    gan.enter_phase("dned")
    gan.fit(tf.data.Dataset.from_tensors(batch).repeat(15), epochs=1, verbose=0, shuffle=False)
    assert int(gan.step) == 30
    gan.enter_phase("edges")
    assert float(gan.loss_terms(batch)[0]["perceptual_loss"]) < first
