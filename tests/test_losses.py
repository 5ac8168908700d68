import cv2
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf import losses
from tests import places

GOLDEN = np.load(places.GOLDEN)
ZERO, TWO = np.zeros((1, 2, 2, 1), "float32"), np.full((1, 2, 2, 1), 2.0, "float32")


class TestGAN:
    @pytest.mark.parametrize(
        ("kind", "discriminator", "generator"),
        [("log", np.log(2), np.log(2)), ("lsgan", 0.5, 1.0), ("hinge", 1.0, 0.0)],
    )
    def test_undecided(self, kind, discriminator, generator):
        assert np.isclose(losses.discriminator_loss([ZERO], [ZERO], kind), discriminator)
        assert np.isclose(losses.generator_loss([ZERO], kind), generator)

    def test_hinge_is_content_beyond_the_margin(self):
        assert float(losses.discriminator_loss([TWO], [-TWO], "hinge")) == 0
        assert float(losses.discriminator_loss([-TWO], [TWO], "hinge")) == 3
        assert float(losses.generator_loss([TWO], "hinge")) == -2

    def test_log_stays_finite_where_it_is_sure(self):
        assert float(losses.discriminator_loss([-1e4 * TWO], [1e4 * TWO], "log")) == 2e4
        assert float(losses.generator_loss([-1e4 * TWO], "log")) == 2e4

    # TF-GAN does not halve D's loss, but both losses of LSGAN.
    @pytest.mark.parametrize(
        ("kind", "of_discriminator", "of_generator"),
        [("log", 0.5, 1), ("lsgan", 1, 2), ("hinge", 0.5, 1)],
    )
    def test_equals_tensorflow_gan(self, kind, of_discriminator, of_generator):
        real, fake = [GOLDEN["gan_real"]], [GOLDEN["gan_fake"]]
        np.testing.assert_allclose(
            losses.discriminator_loss(real, fake, kind),
            of_discriminator * GOLDEN[f"gan_{kind}_discriminator"],
            rtol=1e-5,
        )
        np.testing.assert_allclose(
            losses.generator_loss(fake, kind),
            of_generator * GOLDEN[f"gan_{kind}_generator"],
            rtol=1e-5,
        )

    @pytest.mark.parametrize("kind", losses.KINDS)
    def test_scales_are_summed(self, kind):
        one = losses.discriminator_loss([TWO], [ZERO], kind)
        assert np.isclose(losses.discriminator_loss([TWO] * 3, [ZERO] * 3, kind), 3 * one)
        assert np.isclose(
            losses.generator_loss([TWO] * 3, kind), 3 * losses.generator_loss([TWO], kind)
        )

    def test_unknown_kind(self):
        with pytest.raises(ValueError, match=r"kind: expected one of .*got 'wgan'"):
            losses.generator_loss([ZERO], "wgan")

    def test_scales_that_differ(self):
        with pytest.raises(ValueError, match="equal length, got 1 and 2"):
            losses.discriminator_loss([ZERO], [ZERO, ZERO], "log")


class TestTexture:
    def of(self, real, fake, classes=None):
        """Of grey pictures (height, width) in levels; all of one class by default."""
        real, fake = (
            np.repeat(x[None, ..., None], 3, -1).astype("float32") / 127.5 - 1 for x in (real, fake)
        )
        if classes is None:
            classes = np.ones((*real.shape[1:3], 1), "float32")
        return float(losses.texture_loss(real, fake, classes[None]))

    def test_a_chessboard_is_uneven_at_the_finest_scale_alone(self):
        """Its blur is flat but for the outermost ring, where it is half of the board."""
        board = 128 + 0.5 * (np.indices((64, 64)).sum(0) % 2 * 2 - 1)
        loss, flat = self.of(np.full((64, 64), 30.0), board), (1 - np.exp(-1)) / 2
        assert flat * 62**2 / 64**2 < loss < flat * 1.05

    @pytest.mark.parametrize("size", [(32, 64), (13, 10)])
    def test_it_is_what_opencv_makes_of_each_class(self, size):
        rng = np.random.default_rng(0)
        real, fake = rng.uniform(0, 2, (2, *size)).astype("float32") * [[[1]], [[3]]]
        classes = np.eye(3, dtype="float32")[rng.integers(0, 3, size)]
        classes[:4] = 0  # void
        kernel, border = np.array([0.25, 0.5, 0.25]), {"borderType": cv2.BORDER_REPLICATE}
        pictures, counts, scales = [real, fake], classes, []
        for _ in range(2):
            blurs = [cv2.sepFilter2D(x, -1, kernel, kernel, **border) for x in pictures]
            of_real, of_fake = (
                np.einsum("hwc,hw->c", counts, np.exp(-2 * np.abs(x - blur)))
                for x, blur in zip(pictures, blurs, strict=True)
            )
            shares = of_real / counts.sum((0, 1))
            scales.append((shares * np.abs(of_real - of_fake)).sum() / counts.sum())
            half = tuple(side // 2 for side in counts.shape[1::-1])
            pictures, counts = (
                [
                    cv2.resize(x[: 2 * half[1], : 2 * half[0]], half, interpolation=cv2.INTER_AREA)
                    for x in each
                ]
                for each in (blurs, np.moveaxis(counts, -1, 0))
            )
            counts = np.moveaxis(np.array(counts), 0, -1)
        assert np.isclose(self.of(real, fake, classes), np.mean(scales), rtol=1e-3)

    def test_where_it_is_uneven_does_not_matter(self):
        noise = np.random.default_rng(0).normal(100, 1, (64, 64))
        apart = self.of(noise, np.random.default_rng(1).normal(60, 1, (64, 64)))
        assert apart < 0.02 < 0.2 < self.of(noise, np.full((64, 64), 100.0))

    def test_what_is_hardly_ever_even_counts_little(self):
        noise = np.random.default_rng(0).normal(100, 30, (64, 64))
        flat = np.full((64, 64), 100.0)
        assert self.of(noise, flat) < 0.05 < 0.5 < self.of(flat, noise)

    def test_contrast_of_what_is_uneven_anyway_does_not_matter(self):
        stripes = np.tile([0.0, 100.0], (64, 32))
        assert self.of(100 + stripes, 100 + stripes / 3) < 0.02

    def test_gradients_make_flat_surfaces_uneven(self):
        rng = np.random.default_rng(0)
        real, start = (rng.normal(0, sigma, (1, 32, 32, 3)) for sigma in (0.02, 0.004))
        fake = tf.Variable(start.astype("float32"))
        with tf.GradientTape() as tape:
            loss = losses.texture_loss(real, fake, np.ones((1, 32, 32, 1), "float32"))
        further = fake - tape.gradient(loss, fake)
        assert np.std(further) > 1.2 * np.std(fake)


class TestL1:
    def test_it_is_the_mean_over_all_pixels_and_channels(self):
        real = np.full((2, 2, 3, 3), -1, "float16")
        fake = real.copy()
        fake[0, 0, 0] = (1, 0, -1)  # 2 and 1 apart, of 36 values
        loss = losses.l1_loss(real, fake)
        assert loss.dtype == "float32" and np.isclose(loss, 3 / 36)

    def test_the_real_image_is_held_constant(self):
        real, fake = tf.Variable(TWO), tf.Variable(ZERO)
        with tf.GradientTape() as tape:
            loss = losses.l1_loss(real, fake)
        by_real, by_fake = tape.gradient(loss, [real, fake])
        assert by_real is None
        np.testing.assert_allclose(by_fake, np.full((1, 2, 2, 1), -1 / 4))


class TestDNED:
    EQUAL = np.ones((1, 6), "float32")

    def test_undecided_is_log_two(self):
        edges = np.array([1, 0, 0, 0], "float32").reshape(1, 2, 2, 1)
        for balanced in (False, True):
            loss = losses.dned_loss(np.zeros((1, 2, 2, 6)), edges, self.EQUAL, balanced)
            assert np.isclose(loss, np.log(2))

    def test_weights_choose_and_only_their_ratios_count(self):
        outputs = np.tile(np.array([0, 1000, 0, 0, 0, 0.0]), (1, 2, 2, 1))
        weights = np.array([[1.0, 3.0, 0, 0, 0, 0]])
        for factor in (1, 5):
            loss = losses.dned_loss(outputs, ZERO, factor * weights)
            assert np.isclose(loss, 0.25 * np.log(2) + 0.75 * 1000)

    def test_balance_gives_both_classes_half(self):
        # One edge pixel of four, missed with cross entropy 8; the others cost nothing.
        edges = np.array([1, 0, 0, 0], "float32").reshape(1, 2, 2, 1)
        outputs = np.where(edges > 0, -8.0, -100.0) * np.ones((1, 1, 1, 6))
        assert np.isclose(losses.dned_loss(outputs, edges, self.EQUAL), 8 / 4, atol=1e-3)
        assert np.isclose(losses.dned_loss(outputs, edges, self.EQUAL, True), 8 / 2, atol=1e-3)

    def test_balance_without_edges_is_finite(self):
        for edges in (ZERO, ZERO + 1):
            loss = losses.dned_loss(np.zeros((1, 2, 2, 6)), edges, self.EQUAL, balanced=True)
            assert np.isclose(loss, 0.5 * np.log(2))

    def test_shapes_that_do_not_fit(self):
        with pytest.raises(ValueError, match=r"side_outputs, edges, weights: expected"):
            losses.dned_loss(np.zeros((1, 2, 2, 6)), ZERO, np.ones((1, 5)))


class TestFeatureMatching:
    def test_mean_over_layers_without_the_logits(self):
        fake = [[ZERO + 1, ZERO + 2, ZERO + 100]]
        real = [[ZERO, ZERO, ZERO]]
        assert float(losses.feature_matching_loss(real, fake)) == 1.5

    def test_mean_over_scales(self):
        real = [[ZERO, ZERO], [ZERO, ZERO]]
        fake = [[ZERO + 1, ZERO], [ZERO - 3, ZERO]]
        assert float(losses.feature_matching_loss(real, fake)) == 2

    def test_gradients_only_through_the_fake_ones(self):
        real, fake = tf.constant(ZERO), tf.constant(TWO)
        with tf.GradientTape() as tape:
            tape.watch([real, fake])
            loss = losses.feature_matching_loss([[real, real]], [[fake, fake]])
        of_real, of_fake = tape.gradient(loss, [real, fake])
        assert of_real is None
        np.testing.assert_allclose(of_fake, 0.25)

    def test_lists_that_differ(self):
        with pytest.raises(ValueError, match="equal length, got 1 and 0"):
            losses.feature_matching_loss([[ZERO, ZERO]], [[ZERO]])


class TestPerceptual:
    def test_unit_is_the_size_of_the_real_features(self):
        for size in (1, 100):
            real, fake = [size * TWO, size * TWO], [size * (TWO + 1), size * (TWO - 2)]
            assert np.isclose(losses.perceptual_loss(real, fake), (0.5 + 1) / 2)

    def test_only_ratios_of_slice_weights_count(self):
        real, fake = [TWO, TWO], [TWO + 1, TWO - 2]
        for weights in ([1, 3], [0.25, 0.75]):
            assert np.isclose(losses.perceptual_loss(real, fake, weights), 0.25 * 0.5 + 0.75)

    def test_gradients_only_through_the_fake_ones(self):
        real, fake = tf.constant(TWO), tf.constant(TWO + 1)
        with tf.GradientTape() as tape:
            tape.watch([real, fake])
            loss = losses.perceptual_loss([real], [fake])
        assert tape.gradient(loss, real) is None

    def test_dead_slice_is_finite(self):
        assert float(losses.perceptual_loss([ZERO], [ZERO])) == 0

    def test_wrong_number_of_slice_weights(self):
        with pytest.raises(ValueError, match="slice_weights, features: .* got 1 and 2"):
            losses.perceptual_loss([TWO, TWO], [TWO, TWO], [1.0])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_losses_are_float32(dtype):
    one, six = tf.ones((1, 2, 2, 1), dtype), tf.ones((1, 2, 2, 6), dtype)
    for loss in (
        losses.discriminator_loss([one], [one], "log"),
        losses.generator_loss([one], "hinge"),
        losses.dned_loss(six, one, tf.ones((1, 6), dtype), balanced=True),
        losses.feature_matching_loss([[one, one]], [[one, one]]),
        losses.perceptual_loss([one], [one]),
    ):
        assert loss.dtype == "float32"
        assert loss.shape == ()


class TestFlow:
    def test_by_hand(self):
        real = np.zeros((1, 2, 2, 2), "float32")
        fake = real.copy()
        fake[0, 0, 0] = 3, -1
        assert np.isclose(losses.flow_loss(real, fake), 4 / 8)
        counted = np.zeros((1, 2, 2, 1), "float32")
        counted[0, 0] = 1
        assert np.isclose(losses.flow_loss(real, fake, counted), 4 / 4)
        assert float(losses.flow_loss(real, fake, 0 * counted)) == 0

    def test_gradients_reach_the_fake_one_alone(self):
        real, fake = tf.zeros((1, 2, 2, 2)), tf.ones((1, 2, 2, 2))
        with tf.GradientTape() as tape:
            tape.watch([real, fake])
            loss = losses.flow_loss(real, fake)
        of_real, of_fake = tape.gradient(loss, [real, fake])
        assert of_real is None
        np.testing.assert_allclose(of_fake, 1 / 8)

    @pytest.mark.parametrize("shape", [(1, 2, 3, 2), (1, 2, 2, 3)])
    def test_shapes_that_do_not_fit(self, shape):
        with pytest.raises(ValueError, match="flow_real, flow_fake: expected two fields"):
            losses.flow_loss(np.zeros((1, 2, 2, shape[-1])), np.zeros(shape))


class TestWarping:
    flow = np.zeros((1, 3, 4, 2), "float32") + (1, 0)  # everything moves one to the right

    @staticmethod
    def column(x, value=1.0):
        image = np.full((1, 3, 4, 3), -1.0, "float32")
        image[:, :, x] = value
        return image

    def test_what_moves_with_the_real_film_costs_nothing(self):
        pair = self.column(1), self.column(2)
        assert float(losses.warping_loss(*pair, self.flow, *pair)) == 0

    def test_a_change_along_the_motion_costs_its_mean(self):
        real = self.column(1), self.column(2)
        fake = self.column(1), self.column(2, value=0.4)
        # One column of four differs by 0.6.
        assert np.isclose(losses.warping_loss(*fake, self.flow, *real), 0.6 / 4)

    def test_pixels_where_the_real_film_changes_too_count_little(self):
        real = self.column(1), self.column(2, value=0.8)  # by 0.1 of [0, 1] in three channels
        fake = self.column(1), self.column(2, value=0.4)
        weight = np.exp(-50 * 3 * 0.1**2)
        expected = (0.6 - 0.2) * weight / (3 + weight)
        assert np.isclose(losses.warping_loss(*fake, self.flow, *real), expected, rtol=1e-5)

    def test_gradients_reach_the_fake_pair_alone(self):
        draw = np.random.default_rng(0)
        frames = [tf.constant(draw.uniform(-1, 1, (1, 3, 4, 3)), tf.float32) for _ in range(4)]
        with tf.GradientTape() as tape:
            tape.watch(frames)
            loss = losses.warping_loss(*frames[:2], self.flow, *frames[2:])
        of_fake = tape.gradient(loss, frames)[:2]
        assert all(np.abs(gradient).max() > 0 for gradient in of_fake)
        with tf.GradientTape() as tape:
            tape.watch(frames)
            loss = losses.warping_loss(*frames[:2], self.flow, *frames[2:])
        assert tape.gradient(loss, frames[2:]) == [None, None]
