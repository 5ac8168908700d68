"""A segmenter in training: from real frames to their labels."""

import keras
import numpy as np
import tensorflow as tf

from sflowgan_tf.ops import images
from sflowgan_tf.training.checkpoints import State


def balanced(pixels: np.ndarray, power: float) -> np.ndarray:
    """Weights of classes (classes,) float32, the higher the rarer.

    They are each class' share of the pixels, of which there are `pixels` (classes,), to the power
    of minus `power`: 0 weighs all alike, 1 gives all classes the same sum of weights. Their mean
    over pixels is 1; a class without a pixel has 0.
    """
    share = pixels / pixels.sum()
    weights = np.where(pixels > 0, np.maximum(share, 1 / pixels.sum()) ** -power, 0)
    return (weights / (weights * share).sum()).astype(np.float32)


def cross_entropy(
    logits: tf.Tensor, labels: tf.Tensor, class_weights: np.ndarray | None = None
) -> tf.Tensor:
    """Mean cross entropy over the pixels that are not void, weighted by their classes.

    Args:
        logits: (batch, height, width, classes) float32.
        labels: (batch, height, width) integers; those from `classes` on are void.
        class_weights: (classes,) float32; all 1 by default.

    Returns:
        Scalar float32, nats, >= 0; 0 where all is void.
    """
    one_hot = tf.one_hot(tf.cast(labels, tf.int32), logits.shape[-1])  # all 0 for void
    pixels = tf.reduce_sum(one_hot)
    if class_weights is not None:
        one_hot *= class_weights
    total = -tf.reduce_sum(one_hot * tf.nn.log_softmax(logits))
    return total / tf.maximum(pixels, 1.0)


class Segmenter(keras.Model):
    """Trains a network, and its auxiliary classifier beside the main one where it has one.

    Attributes:
        network: built; frame in [-1, 1] -> logits; those of an auxiliary classifier too when
            training, whose loss has weight `auxiliary_weight`.
        class_weights: of `cross_entropy`.
        step: how many updates were made.

    Source: Zhao et al., "Pyramid Scene Parsing Network", CVPR 2017, sec. 3.3.
    """

    def __init__(
        self, network: keras.Model, *, auxiliary_weight: float, class_weights: np.ndarray | None
    ):
        super().__init__(dtype=network.dtype_policy)
        self.network, self.auxiliary_weight = network, auxiliary_weight
        self.class_weights = class_weights
        self.step = tf.Variable(tf.zeros([], tf.int64), trainable=False, name="step")
        self.built = True

    def compile(  # type: ignore[override]  # no losses: `train_step` has them
        self, optimizer: keras.optimizers.Optimizer, *, jit_compile: bool
    ) -> None:
        """Takes the optimizer and builds its state, so that a checkpoint finds it."""
        super().compile(optimizer=optimizer, jit_compile=jit_compile)
        self.optimizer.build(self.network.trainable_variables)

    def state(self) -> State:
        """All state of the training; the place in the data follows from `step`."""
        return State(self.step, {"network": self.network, "optimizer": self.optimizer})

    def train_step(self, data: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One update on labels (batch, height, width) uint8 and image_real (..., 3) uint8.

        Returns the losses, not multiplied with their weights, and the gradient's norm.
        """
        with tf.GradientTape() as tape:
            logits = self.network(images.to_signed(data["image_real"]), training=True)
            names = ("segmentation_loss", "auxiliary_loss")
            terms = {
                name: cross_entropy(each, data["labels"], self.class_weights)
                for name, each in zip(names, tf.nest.flatten(logits), strict=False)
            }
            total = terms["segmentation_loss"]
            if "auxiliary_loss" in terms:
                total += self.auxiliary_weight * terms["auxiliary_loss"]
            loss = self.optimizer.scale_loss(total)
        variables = self.network.trainable_variables
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        norm = tf.linalg.global_norm(gradients)
        if isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer):
            norm /= self.optimizer.dynamic_scale
        self.optimizer.apply(gradients, variables)
        self.step.assign_add(1)
        return terms | {"segmenter_gradient": norm}

    @tf.function(reduce_retracing=True)
    def logits(self, frames: tf.Tensor) -> tf.Tensor:
        """The network's logits (batch, height, width, C) of (batch, height, width, 3) uint8."""
        return self.network(images.to_signed(frames), training=False)

    def segment(self, frames: tf.Tensor) -> tf.Tensor:
        """The likeliest classes (batch, height, width) uint8 of (batch, height, width, 3) uint8."""
        return tf.cast(tf.argmax(self.logits(frames), axis=-1), tf.uint8)
