"""The image GAN of eq. 7: generator, discriminator and DNED, updated together in one step."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import keras
import tensorflow as tf
from keras import ops

from sflowgan_tf import losses
from sflowgan_tf.networks.generator import grain_variables
from sflowgan_tf.ops import images, preprocessing
from sflowgan_tf.ops.edges import instance_boundaries
from sflowgan_tf.ops.ensemble import ensemble
from sflowgan_tf.ops.network_input import network_input
from sflowgan_tf.ops.settings import SIDE_OUTPUTS
from sflowgan_tf.training.checkpoints import State
from sflowgan_tf.training.gan.networks import Networks
from sflowgan_tf.training.gan.objective import Objective

Phase = Literal["edges", "dned", "video"]


class ImageGAN(keras.Model):
    """min over G and DNED, max over D of L_GAN + l1 L_FM + l2 L_percep + l3 L_DNED (eq. 7).

    A loss whose weight is 0 is left out, and so is the DNED where the edge map is not the Laplacian
    one: then all phases are alike. The DNED sees that edge map E(x) or the real image x, as
    `objective.dned.sees` says: eq. 4 can be read either way. Where it is not trainable it stays as
    it is, without eq. 4.

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
        generator_ema: the moving average of the generator, from which pictures are made; without
            one the generator itself.
        step: how many updates were made; all randomness of the training derives from it.
    """

    def __init__(
        self,
        networks: Networks,
        objective: Objective,
        *,
        num_classes: int,
        ema_decay: float,
        ema_warm_up: bool,
        seed: int,
    ):
        """Joins built networks.

        Args:
            networks: generator_ema takes the generator's weights here, where it is another one.
            objective: what is minimised.
            num_classes: of the label maps; ids from there on count as void.
            ema_decay: of the moving average.
            ema_warm_up: whether the decay is smaller in the first steps, so that the average soon
                follows fresh weights.
            seed: of the drawn ensemble weights.
        """
        super().__init__(dtype=networks.generator.dtype_policy)
        self.generator, self.generator_ema = networks.generator, networks.generator_ema
        self.discriminator, self.dned = networks.discriminator, networks.dned
        self.features = networks.features
        self.objective = objective
        self.num_classes = num_classes
        self.ema_decay, self.ema_warm_up, self.seed = ema_decay, ema_warm_up, seed
        self.phase: Phase = "edges"
        self.generator_frozen = False
        self.step = tf.Variable(tf.zeros([], tf.int64), trainable=False, name="step")
        if self.has_average:
            self.generator_ema.set_weights(self.generator.get_weights())
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

    @property
    def has_average(self) -> bool:
        """Whether there is a moving average; else `generator_ema` is the generator itself."""
        return self.generator_ema is not self.generator

    @property
    def frames_per_example(self) -> int:
        """How many frames an example of this phase has."""
        return 1

    def state(self) -> State:
        """All state of the training; the place in the data and in the phases follow from `step`."""
        names = (
            "generator",
            "generator_ema",
            "discriminator",
            "dned",
            "generator_optimizer",
            "discriminator_optimizer",
            "dned_optimizer",
        )
        return State(self.step, {name: getattr(self, name) for name in names})

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
            generator_loss = self.generator_optimizer.scale_loss(self.objective.weighted_sum(terms))
            discriminator_loss = self.discriminator_optimizer.scale_loss(
                terms["discriminator_loss"]
            )
            texture_loss = self.generator_optimizer.scale_loss(terms.get("texture_loss", 0.0))
        generator_variables = self._generator_variables()
        # updates of what has no gradient cost as much as others
        dned_variables = self.dned.trainable_variables if self._has_dned else []
        discriminator_variables = self.discriminator.trainable_variables
        gradients = tape.gradient(
            generator_loss,
            [v.value for v in generator_variables + dned_variables],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        generator_gradients = gradients[: len(generator_variables)]
        dned_gradients = self._rescaled(gradients[len(generator_variables) :])
        discriminator_gradients = tape.gradient(
            discriminator_loss,
            [v.value for v in discriminator_variables],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        if "texture_loss" in terms:
            generator_gradients = self._with_grain(tape, texture_loss, generator_gradients)
        del tape

        norms = {
            "generator_gradient": _norm(generator_gradients, self.generator_optimizer),
            "dned_gradient": _norm(dned_gradients, self.dned_optimizer),
            "discriminator_gradient": _norm(discriminator_gradients, self.discriminator_optimizer),
        }
        self.generator_optimizer.apply(generator_gradients, generator_variables)
        if dned_variables:
            self.dned_optimizer.apply(dned_gradients, dned_variables)
        self.discriminator_optimizer.apply(discriminator_gradients, discriminator_variables)
        if self.has_average:
            self._update_average()
        self.step.assign_add(1)
        return terms | logs | norms

    def loss_terms(
        self, data: dict[str, tf.Tensor]
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        """Losses and curve values of a batch.

        Args:
            data: as `train_step` takes it.

        Returns:
            Losses by name, unweighted scalars; further scalars for TensorBoard's curves.
        """
        terms, logs, _ = self.image_terms(data, self.ensemble_weights(tf.shape(data["labels"])[0]))
        return terms, logs

    def image_terms(
        self, data: dict[str, tf.Tensor], weights: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor], tf.Tensor]:
        """Losses, curve values and generated images of a batch of independent frames.

        Args:
            data: as `train_step` takes it.
            weights: (batch, 6) float32, the ensemble weights of each frame.

        Returns:
            Losses by name, unweighted scalars; D's mean output on real and on generated images as
            a probability; the generated images (batch, height, width, 3) float32 in [-1, 1].
        """
        seen = self.seen(data, weights)
        image_fake = self.generator(seen.scene, training=True)
        return *self.judged(seen, image_fake), image_fake

    def seen(self, data: dict[str, tf.Tensor], weights: tf.Tensor) -> "Seen":
        """What the networks see of a batch; the arguments are those of `image_terms`."""
        image_real = images.to_signed(data["image_real"])
        edges = self._edges(data)
        dned_input = self.dned_input(image_real, edges)
        side_outputs = self.dned(dned_input, training=True) if self._has_dned else None
        redraws = side_outputs is not None and self.phase != "edges"
        edge_map = ensemble(side_outputs, weights) if redraws else edges
        scene = network_input(data["labels"], edge_map, self.num_classes, self._colors(data))
        return Seen(scene, image_real, edges, side_outputs)

    def judged(
        self, seen: "Seen", image_fake: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        """Losses and curve values of generated images (batch, height, width, 3) in [-1, 1]."""
        settings = self.objective.losses
        _, image_real, edges, side_outputs = seen
        condition = tf.stop_gradient(seen.scene[..., : self.num_classes])  # of labels alone
        if self.objective.discriminator_sees_edges:
            condition = tf.concat([condition, edges], axis=-1)
        real, fake = feature_maps(
            self.discriminator,
            *(tf.concat([condition, image], axis=-1) for image in (image_real, image_fake)),
        )
        logits_real, logits_fake = [maps[-1] for maps in real], [maps[-1] for maps in fake]
        terms = {
            "generator_loss": losses.generator_loss(logits_fake, settings.gan),
            "discriminator_loss": losses.discriminator_loss(logits_real, logits_fake, settings.gan),
        }
        if settings.feature_matching:
            terms["feature_matching_loss"] = losses.feature_matching_loss(real, fake)
        if settings.perceptual:
            features_real, features_fake = (
                self.features(images.reduced(image, self.objective.perceptual_scale))
                for image in (image_real, image_fake)
            )
            terms["perceptual_loss"] = losses.perceptual_loss(
                [tf.stop_gradient(slice_) for slice_ in features_real],
                features_fake,
                self.objective.slice_weights,
            )
        if settings.l1:
            terms["l1_loss"] = losses.l1_loss(image_real, image_fake)
        if grain_variables(self.generator):
            classes = seen.scene[..., : self.num_classes]
            terms["texture_loss"] = losses.texture_loss(image_real, image_fake, classes)
        if settings.dned and self.objective.dned.trained and side_outputs is not None:
            equal = tf.fill([tf.shape(edges)[0], SIDE_OUTPUTS], 1 / SIDE_OUTPUTS)
            terms["dned_loss"] = losses.dned_loss(
                side_outputs, edges, equal, self.objective.dned.balanced
            )
        logs = {
            "discriminator_real": _mean_probability(logits_real),
            "discriminator_fake": _mean_probability(logits_fake),
        }
        return terms, logs

    @property
    def _has_dned(self) -> bool:
        """Whether there are edges of a simulator to redraw."""
        return self.objective.edge_map == "laplacian"

    def _edges(self, data: dict[str, tf.Tensor]) -> tf.Tensor:
        """The edge map before the DNED, (batch, height, width, 1) float32."""
        edge_map = self.objective.edge_map
        if edge_map == "instances":
            return instance_boundaries(data["labels"], data["instances"])
        edges = tf.cast(data["edges"], tf.float32)
        return edges if edge_map == "laplacian" else tf.zeros_like(edges)

    def dned_input(self, image_real: tf.Tensor, edges: tf.Tensor) -> tf.Tensor:
        """What d_i of eq. 4 is a function of; the loss compares it with the edge map either way.

        Pictures are sharpened by an amount that is drawn for each example: a simulator has no lens,
        so that its pictures are sharper than a camera's, and the generator would paint all of that.
        """
        if self.objective.dned.sees == "edges":
            return edges
        most = self.objective.dned.sharpening
        if not most:
            return image_real
        examples = tf.shape(image_real)[0] // self.frames_per_example
        key = tf.stack([tf.constant(self.seed, tf.int64), -1 - self.step])  # no ensemble weights'
        amounts = most * tf.random.stateless_uniform(tf.stack([examples, 1, 1, 1]), key)
        return images.sharpened(image_real, tf.repeat(amounts, self.frames_per_example, axis=0))

    def _colors(self, data: dict[str, tf.Tensor]) -> Any:
        """The colours that the generator sees, (batch, height, width, 3) float32 0..255, if any."""
        regions = self.objective.regions
        if regions is None:
            return None
        frames = data["labels"], data["image_real"]
        return preprocessing.region_colors(*frames, self.num_classes, regions, ops)

    def ensemble_weights(self, batch: tf.Tensor) -> tf.Tensor:
        """The weights by which the DNED's side outputs are joined to an edge map.

        Args:
            batch: scalar int32, how many examples.

        Returns:
            (batch, 6) float32 with sums of 1: equal, or for the share `objective.dned.jitter` of
            the examples drawn from a flat Dirichlet distribution. A function of `seed` and `step`.
        """
        equal = tf.fill([batch, SIDE_OUTPUTS], 1 / SIDE_OUTPUTS)
        jitter = self.objective.dned.jitter
        if not jitter:
            return equal
        key = tf.stack([tf.constant(self.seed, tf.int64), 2 * self.step])
        uniform = tf.random.stateless_uniform(tf.stack([batch, SIDE_OUTPUTS]), key)
        # Exponential draws over their sum are Dirichlet(1, ..., 1); XLA has no gamma draws.
        exponential = -tf.math.log1p(-uniform) + 1e-6
        drawn = exponential / tf.reduce_sum(exponential, axis=-1, keepdims=True)
        coin = tf.random.stateless_uniform(tf.stack([batch, 1]), key + [0, 1])
        return tf.where(coin < jitter, drawn, equal)

    def _generator_variables(self) -> list[Any]:
        variables = self.generator.trainable_variables
        if not self.generator_frozen:
            return variables
        frozen = {id(v) for v in self.generator.global_generator.trainable_variables}  # type: ignore[attr-defined]
        return [v for v in variables if id(v) not in frozen]

    def _with_grain(
        self, tape: tf.GradientTape, texture_loss: tf.Tensor, gradients: Sequence[Any]
    ) -> Sequence[Any]:
        """Gradients of the generator, those of its grain being of the texture loss alone.

        The other losses would take the grain away: where it is cannot be known, so a surface
        without is nearer to every real one, pixel by pixel.
        """
        grain = grain_variables(self.generator)
        by_texture = tape.gradient(texture_loss, [v.value for v in grain])
        own = dict(zip(map(id, grain), by_texture, strict=True))
        variables = self._generator_variables()
        return [own.get(id(v), given) for v, given in zip(variables, gradients, strict=True)]

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
            tf.raw_ops.ResourceApplyGradientDescent(  # in fewer passes than an assignment
                var=average.value.handle, alpha=1 - decay, delta=average - value
            )


class Seen(NamedTuple):
    """What the networks see of a batch of frames.

    Attributes:
        scene: (batch, height, width, channels), the generator's.
        image_real: (batch, height, width, 3) float32 in [-1, 1].
        edges: (batch, height, width, 1) float32, the edge map before the DNED.
        side_outputs: (batch, height, width, 6) logits of the DNED; None without it.
    """

    scene: Any
    image_real: tf.Tensor
    edges: tf.Tensor
    side_outputs: Any


def feature_maps(
    discriminator: keras.Model, real: tf.Tensor, fake: tf.Tensor
) -> tuple[list[list[tf.Tensor]], list[list[tf.Tensor]]]:
    """D's feature maps of something real and of something generated, from one pass over both."""
    scales = discriminator(tf.concat([real, fake], axis=0), training=True)
    halves = [[tf.split(features, 2) for features in maps] for maps in scales]
    return (
        [[half[0] for half in maps] for maps in halves],
        [[half[1] for half in maps] for maps in halves],
    )


def _mean_probability(logits: list[tf.Tensor]) -> tf.Tensor:
    return tf.add_n([tf.reduce_mean(tf.sigmoid(scale)) for scale in logits]) / len(logits)


def _norm(gradients: Sequence[Any], optimizer: keras.optimizers.Optimizer) -> tf.Tensor:
    """The norm of all gradients together, their optimizer's loss scale taken out; 0 of none."""
    if not gradients:
        return tf.zeros([])
    scaled = tf.linalg.global_norm(gradients)
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return scaled / optimizer.dynamic_scale
    return scaled
