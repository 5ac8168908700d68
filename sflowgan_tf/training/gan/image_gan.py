"""The image GAN of eq. 7: generator, discriminator and DNED, updated together in one step."""

from collections.abc import Sequence
from typing import Any, Literal

import keras
import tensorflow as tf

from sflowgan_tf import losses
from sflowgan_tf.ops import images, labels
from sflowgan_tf.ops.edges import instance_boundaries
from sflowgan_tf.ops.ensemble import SIDE_OUTPUTS, ensemble

EdgeMap = Literal["laplacian", "instances", "none"]
Phase = Literal["edges", "dned", "video"]


def variables(owner: keras.Model | keras.optimizers.Optimizer) -> list[tf.Variable]:
    """All variables of a network or optimizer, in the order of their creation.

    A checkpoint takes this list instead of the network, because TensorFlow does not look into the
    lists of layers that a Keras network holds and would leave out their weights.
    """
    return [variable.value for variable in owner.variables]


class ImageGAN(keras.Model):
    """min over G and DNED, max over D of L_GAN + l1 L_FM + l2 L_percep + l3 L_DNED (eq. 7).

    A loss whose weight is 0 is left out, and so is the DNED where the edge map is not the Laplacian
    one: then all phases are alike.

    One step runs the generator once; the discriminator sees the real and the fake image in one
    batch, and its outputs serve its own loss and the generator's; the perceptual network sees the
    real image outside of the gradient. Frames are independent of each other here.

    Source: S-Flow GAN, sec. 3.1 and 3.2. That the DNED learns from its own loss already while the
    generator still sees Laplacian edges, so that it has edges to give once its phase begins, is our
    choice.

    Attributes:
        phase: "edges" (the generator sees Laplacian edges), "dned" (it sees the DNED's, and its
            losses reach the DNED) or "video" (the same, on what `VideoGAN` makes of pairs); set by
            `enter_phase`.
        generator_ema: the moving average of the generator, from which pictures are made.
        step: how many updates were made; all randomness of the training derives from it.
    """

    def __init__(
        self,
        *,
        generator: keras.Model,
        generator_ema: keras.Model,
        discriminator: keras.Model,
        dned: keras.Model,
        features: keras.Model,
        num_classes: int,
        gan_loss: Literal["log", "lsgan", "hinge"],
        feature_matching_weight: float,
        perceptual_weight: float,
        l1_weight: float,
        slice_weights: list[float] | None,
        dned_weight: float,
        dned_balanced: bool,
        dned_jitter: float,
        edge_map: EdgeMap,
        discriminator_sees_edges: bool,
        ema_decay: float,
        ema_warm_up: bool,
        seed: int,
    ):
        """Joins built networks.

        Args:
            generator: scene (batch, height, width, classes + 1) -> image in [-1, 1].
            generator_ema: a second one of the same shape; takes the first one's weights here.
            discriminator: (batch, height, width, channels) -> feature maps, per scale.
            dned: edges (batch, height, width, 1) -> logits of six side outputs.
            features: image in [-1, 1] -> slices of a VGG19.
            num_classes: of the label maps; ids from there on count as void.
            gan_loss: the form of eqs. 2 and 3.
            feature_matching_weight: lambda_1.
            perceptual_weight: lambda_2.
            l1_weight: of `losses.l1_loss`, which eq. 7 has not.
            slice_weights: of the slices in eq. 6; None for equal ones.
            dned_weight: lambda_3.
            dned_balanced: HED's class balancing in eq. 4.
            dned_jitter: the share of examples for which the ensemble weights of the edge map are
                drawn from a flat Dirichlet distribution instead of being equal.
            edge_map: what the generator is given beside the labels: "laplacian", the edges of the
                real image, or in its phases the DNED's; "instances", pix2pixHD's boundaries between
                instances; "none", zeros.
            discriminator_sees_edges: whether D is conditioned on the edge map too; it is not
                redrawn for D.
            ema_decay: of the moving average.
            ema_warm_up: whether the decay is smaller in the first steps, so that the average soon
                follows fresh weights.
            seed: of the drawn ensemble weights.
        """
        super().__init__()
        self.generator, self.generator_ema = generator, generator_ema
        self.discriminator, self.dned, self.features = discriminator, dned, features
        self.num_classes = num_classes
        self.gan_loss = gan_loss
        self.feature_matching_weight = feature_matching_weight
        self.perceptual_weight, self.l1_weight = perceptual_weight, l1_weight
        self.slice_weights = slice_weights
        self.dned_weight, self.dned_balanced, self.dned_jitter = (
            dned_weight,
            dned_balanced,
            dned_jitter,
        )
        self.edge_map: EdgeMap = edge_map
        self.discriminator_sees_edges = discriminator_sees_edges
        self.ema_decay, self.ema_warm_up, self.seed = ema_decay, ema_warm_up, seed
        self.phase: Phase = "edges"
        self.generator_frozen = False
        self.step = tf.Variable(tf.zeros([], tf.int64), trainable=False, name="step")
        generator_ema.set_weights(generator.get_weights())
        self.built = True

    def compile(  # type: ignore[override]  # three optimizers instead of one
        self,
        *,
        generator_optimizer: keras.optimizers.Optimizer,
        discriminator_optimizer: keras.optimizers.Optimizer,
        dned_optimizer: keras.optimizers.Optimizer,
        jit_compile: bool = False,
    ) -> None:
        """Takes the three optimizers and builds their state, so that a checkpoint finds it."""
        super().compile(optimizer=generator_optimizer, jit_compile=jit_compile)
        self.generator_optimizer = self.optimizer  # wrapped for loss scaling by Keras
        self.discriminator_optimizer = self._scaled(discriminator_optimizer)
        self.dned_optimizer = self._scaled(dned_optimizer)
        self.generator_optimizer.build(self.generator.trainable_variables)
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)
        self.dned_optimizer.build(self.dned.trainable_variables)

    def _scaled(self, optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
        """The optimizer, scaling its loss where the precision is float16: Keras wraps only one."""
        if isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer):
            return keras.optimizers.LossScaleOptimizer(optimizer)
        return optimizer

    def enter_phase(self, phase: Phase, *, generator_frozen: bool = False) -> None:
        """Sets what the next steps train.

        Args:
            phase: "edges", "dned" or "video".
            generator_frozen: whether the global part of a LocalEnhancer stays as it is.
        """
        if (phase, generator_frozen) == (self.phase, self.generator_frozen):
            return
        self.phase, self.generator_frozen = phase, generator_frozen
        self.train_function = None

    def checkpoint(self) -> tf.train.Checkpoint:
        """All state of the training; the place in the data and in the phases follow from `step`."""
        parts = (
            "generator",
            "generator_ema",
            "discriminator",
            "dned",
            "generator_optimizer",
            "discriminator_optimizer",
            "dned_optimizer",
        )
        return tf.train.Checkpoint(
            step=self.step, **{part: variables(getattr(self, part)) for part in parts}
        )

    def train_step(self, data: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One update of G, D and DNED.

        Args:
            data: labels (batch, height, width) uint8, edges (batch, height, width, 1) uint8 and
                image_real (batch, height, width, 3) uint8; for the edge map "instances" these too,
                (batch, height, width) uint16.

        Returns:
            Every loss, unweighted, D's mean output on real and fake as a probability of
            real (0.5 is undecided), and the norms of the three gradients.
        """
        with tf.GradientTape(persistent=True) as tape:
            terms, logs = self.loss_terms(data)
            generator_loss = self.generator_optimizer.scale_loss(self.generator_objective(terms))
            discriminator_loss = self.discriminator_optimizer.scale_loss(
                terms["discriminator_loss"]
            )
        generator_variables = self._generator_variables()
        dned_variables = self.dned.trainable_variables
        discriminator_variables = self.discriminator.trainable_variables
        gradients = tape.gradient(
            generator_loss,
            [v.value for v in generator_variables + dned_variables],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        generator_gradients = gradients[: len(generator_variables)]
        dned_gradients = self._rescaled(gradients[len(generator_variables) :])
        discriminator_gradients = tape.gradient(
            discriminator_loss, [v.value for v in discriminator_variables]
        )
        del tape

        norms = {
            "generator_gradient": _norm(generator_gradients, self.generator_optimizer),
            "dned_gradient": _norm(dned_gradients, self.dned_optimizer),
            "discriminator_gradient": _norm(discriminator_gradients, self.discriminator_optimizer),
        }
        self.generator_optimizer.apply(generator_gradients, generator_variables)
        self.dned_optimizer.apply(dned_gradients, dned_variables)
        self.discriminator_optimizer.apply(discriminator_gradients, discriminator_variables)
        self._update_average()
        self.step.assign_add(1)
        return terms | logs | norms

    def generator_objective(self, terms: dict[str, tf.Tensor]) -> tf.Tensor:
        """What G and DNED minimise: the weighted sum of eq. 7."""
        weights = {
            "feature_matching_loss": self.feature_matching_weight,
            "perceptual_loss": self.perceptual_weight,
            "l1_loss": self.l1_weight,
            "dned_loss": self.dned_weight,
        }
        weighted = [weight * terms[name] for name, weight in weights.items() if name in terms]
        return sum(weighted, start=terms["generator_loss"])

    def loss_terms(
        self, data: dict[str, tf.Tensor]
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        """The losses of one batch, unweighted, and what else is worth a curve."""
        terms, logs, _ = self.image_terms(data, self.ensemble_weights(tf.shape(data["labels"])[0]))
        return terms, logs

    def image_terms(
        self, data: dict[str, tf.Tensor], weights: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor], tf.Tensor]:
        """The same of frames independent of each other, and what the generator made of them.

        Args:
            data: as `train_step` takes it.
            weights: (batch, 6) float32, the ensemble weights of each frame.

        Returns:
            Losses; what is worth a curve; the images in [-1, 1].
        """
        image_real = images.to_signed(data["image_real"])
        edges = self._edges(data)
        side_outputs = self.dned(edges, training=True) if self.edge_map == "laplacian" else None
        redraws = side_outputs is not None and self.phase != "edges"
        shown = ensemble(side_outputs, weights) if redraws else edges
        scene = labels.scene(data["labels"], shown, self.num_classes)
        image_fake = self.generator(scene, training=True)
        real, fake = self._judged(scene, edges, image_real, image_fake)
        logits_real, logits_fake = [maps[-1] for maps in real], [maps[-1] for maps in fake]
        terms = {
            "generator_loss": losses.generator_loss(logits_fake, self.gan_loss),
            "discriminator_loss": losses.discriminator_loss(
                logits_real, logits_fake, self.gan_loss
            ),
        }
        if self.feature_matching_weight:
            terms["feature_matching_loss"] = losses.feature_matching_loss(real, fake)
        if self.perceptual_weight:
            features_real = [tf.stop_gradient(slice_) for slice_ in self.features(image_real)]
            terms["perceptual_loss"] = losses.perceptual_loss(
                features_real, self.features(image_fake), self.slice_weights
            )
        if self.l1_weight:
            terms["l1_loss"] = losses.l1_loss(image_real, image_fake)
        if self.dned_weight and side_outputs is not None:
            equal = tf.ones_like(weights) / SIDE_OUTPUTS
            terms["dned_loss"] = losses.dned_loss(side_outputs, edges, equal, self.dned_balanced)
        logs = {
            "discriminator_real": _mean_probability(logits_real),
            "discriminator_fake": _mean_probability(logits_fake),
        }
        return terms, logs, image_fake

    def _edges(self, data: dict[str, tf.Tensor]) -> tf.Tensor:
        """The edge map before the DNED, (batch, height, width, 1) float32."""
        if self.edge_map == "instances":
            return instance_boundaries(data["labels"], data["instances"])
        edges = tf.cast(data["edges"], tf.float32)
        return edges if self.edge_map == "laplacian" else tf.zeros_like(edges)

    def ensemble_weights(self, batch: tf.Tensor) -> tf.Tensor:
        """(batch, 6) float32: equal, or for a share `dned_jitter` of the examples drawn."""
        equal = tf.fill([batch, SIDE_OUTPUTS], 1 / SIDE_OUTPUTS)
        if not self.dned_jitter:
            return equal
        key = tf.stack([tf.constant(self.seed, tf.int64), 2 * self.step])
        shape = tf.stack([batch, SIDE_OUTPUTS])
        drawn = tf.random.stateless_gamma(shape, key, alpha=tf.constant(1.0)) + 1e-6
        drawn /= tf.reduce_sum(drawn, axis=-1, keepdims=True)
        coin = tf.random.stateless_uniform(tf.stack([batch, 1]), key + [0, 1])
        return tf.where(coin < self.dned_jitter, drawn, equal)

    def _judged(
        self, scene: Any, edges: tf.Tensor, image_real: tf.Tensor, image_fake: tf.Tensor
    ) -> tuple[list[list[tf.Tensor]], list[list[tf.Tensor]]]:
        """D's feature maps of the real and the fake image, from one pass over both."""
        condition = scene[..., : self.num_classes]
        if self.discriminator_sees_edges:
            condition = tf.concat([condition, edges], axis=-1)
        pairs = [tf.concat([condition, image], axis=-1) for image in (image_real, image_fake)]
        scales = self.discriminator(tf.concat(pairs, axis=0), training=True)
        halves = [[tf.split(features, 2) for features in maps] for maps in scales]
        real = [[half[0] for half in maps] for maps in halves]
        fake = [[half[1] for half in maps] for maps in halves]
        return real, fake

    def _generator_variables(self) -> list[Any]:
        variables = self.generator.trainable_variables
        if not self.generator_frozen:
            return variables
        frozen = {id(v) for v in self.generator.global_generator.trainable_variables}  # type: ignore[attr-defined]
        return [v for v in variables if id(v) not in frozen]

    def _rescaled(self, gradients: Sequence[Any]) -> Sequence[Any]:
        """From the generator's loss scale to the DNED's: both came from one scaled loss."""
        if not isinstance(self.dned_optimizer, keras.optimizers.LossScaleOptimizer):
            return gradients
        ratio = self.dned_optimizer.dynamic_scale / self.generator_optimizer.dynamic_scale
        return [gradient * ratio for gradient in gradients]

    def _update_average(self) -> None:
        decay = tf.constant(self.ema_decay)
        if self.ema_warm_up:
            step = tf.cast(self.step, tf.float32)
            decay = tf.minimum(decay, (1 + step) / (10 + step))
        for average, value in zip(self.generator_ema.weights, self.generator.weights, strict=True):
            average.assign(average + (1 - decay) * (value - average))


def _mean_probability(logits: list[tf.Tensor]) -> tf.Tensor:
    return tf.add_n([tf.reduce_mean(tf.sigmoid(scale)) for scale in logits]) / len(logits)


def _norm(gradients: Sequence[Any], optimizer: keras.optimizers.Optimizer) -> tf.Tensor:
    """The norm of all gradients together, their optimizer's loss scale taken out."""
    scaled = tf.linalg.global_norm(gradients)
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return scaled / optimizer.dynamic_scale
    return scaled
