"""Golden values from libraries that no longer run beside our TensorFlow.

TensorFlow Addons, TF-GAN and TensorFlow I/O compute here, in an environment of their own, what our
own code is tested against. `make oracles` does it all; with requirements.txt installed it runs

    python tests/oracles/generate.py tests/oracles/golden.npz

The same versions write the same bytes. Keys are `<oracle>_<what>`; all arrays are float32 unless
said.
"""

import sys

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa
import tensorflow_gan as tfgan
import tensorflow_io as tfio


def instance_norm(rng):
    """tfa.layers.InstanceNormalization without scale and offset, epsilon 1e-5: `x` to `y`."""
    x = rng.normal(2.0, 3.0, (2, 5, 7, 3)).astype("float32")
    layer = tfa.layers.InstanceNormalization(center=False, scale=False, epsilon=1e-5)
    return {"x": x, "y": layer(x).numpy()}


def spectral_norm(rng):
    """tfa.layers.SpectralNormalization: `kernel` and `u` before and after one power iteration."""
    kernel = rng.normal(0.0, 0.1, (4, 4, 3, 8)).astype("float32")
    u = rng.normal(0.0, 1.0, (1, 8)).astype("float32")
    layer = tfa.layers.SpectralNormalization(tf.keras.layers.Conv2D(8, 4, use_bias=False))
    layer.build((None, 9, 9, 3))
    layer.w.assign(kernel)
    layer.u.assign(u)
    layer.normalize_weights()
    return {"kernel": kernel, "u": u, "kernel_after": layer.w.numpy(), "u_after": layer.u.numpy()}


def warp(rng):
    """tfa.image.dense_image_warp, whose `flow` is (dy, dx) and subtracted: `image` to `y`.

    `image_gradient` and `flow_gradient` are those of sum(y^2).
    """
    image = tf.constant(rng.uniform(-1.0, 1.0, (2, 9, 11, 3)).astype("float32"))
    flow = tf.constant(rng.normal(0.0, 4.0, (2, 9, 11, 2)).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch([image, flow])
        y = tfa.image.dense_image_warp(image, flow)
        loss = tf.reduce_sum(y**2)
    of_image, of_flow = tape.gradient(loss, [image, flow])
    arrays = {"image": image, "flow": flow, "y": y}
    arrays |= {"image_gradient": of_image, "flow_gradient": of_flow}
    return {name: array.numpy() for name, array in arrays.items()}


def gan(rng):
    """tfgan.losses of two sets of logits.

    `log` is what it calls modified; `lsgan` has its factors of 1/2.
    """
    real, fake = rng.normal(0.0, 2.0, (2, 2, 4, 5, 1)).astype("float32")
    losses = tfgan.losses.wargs
    values = {
        "log_discriminator": losses.modified_discriminator_loss(real, fake, label_smoothing=0.0),
        "log_generator": losses.modified_generator_loss(fake),
        "lsgan_discriminator": losses.least_squares_discriminator_loss(real, fake),
        "lsgan_generator": losses.least_squares_generator_loss(fake),
        "hinge_discriminator": losses.wasserstein_hinge_discriminator_loss(real, fake),
        "hinge_generator": losses.wasserstein_hinge_generator_loss(fake),
    }
    return {"real": real, "fake": fake, **{name: v.numpy() for name, v in values.items()}}


def frechet(rng):
    """tfgan.eval's distance of `a` and `b`, float64.

    `few_a` and `few_b` have fewer samples than features.
    """
    arrays = {
        "a": rng.normal(0.0, 1.0, (40, 6)),
        "b": rng.normal(0.5, 2.0, (30, 6)),
        "few_a": rng.normal(0.0, 1.0, (5, 8)),
        "few_b": rng.normal(0.5, 2.0, (6, 8)),
    }
    distance = tfgan.eval.frechet_classifier_distance_from_activations
    of = {
        "distance": distance(arrays["a"], arrays["b"]),
        "few_distance": distance(arrays["few_a"], arrays["few_b"]),
    }
    return arrays | {name: value.numpy() for name, value in of.items()}


def gaussian(rng):
    """tfio.experimental.filter.gaussian, sigma 1.2, 4 pixels each way, mirrored: `grey` to `y`."""
    grey = rng.uniform(0.0, 255.0, (1, 12, 15, 1)).astype("float32")
    y = tfio.experimental.filter.gaussian(grey, ksize=9, sigma=1.2, mode="REFLECT")
    return {"grey": grey, "y": y.numpy()}


def main(output):
    """Write all golden values to the file `output`."""
    arrays = {}
    for seed, oracle in enumerate((instance_norm, spectral_norm, warp, gan, frechet, gaussian)):
        for name, array in oracle(np.random.default_rng(seed)).items():
            arrays[f"{oracle.__name__}_{name}"] = array
    np.savez_compressed(output, **arrays)


if __name__ == "__main__":
    main(sys.argv[1])
