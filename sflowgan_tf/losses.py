"""The losses of the paper, in its order.

Each gives a float32 scalar to be minimised, whatever the dtype of what comes in. A list over scales
is the discriminator's, full size first.
"""

from keras import ops

from sflowgan_tf.ops import images
from sflowgan_tf.ops.warp import backward_warp

KINDS = ("log", "lsgan", "hinge")
_TEXTURE_SCALES = 2


def discriminator_loss(logits_real, logits_fake, kind):
    """How badly the discriminator tells real from generated.

    Args:
        logits_real: list over scales of (batch, h, w, 1) logits for real images.
        logits_fake: the same for generated ones; keep gradients from the generator with
            `stop_gradient`.
        kind: "log": eq. 2 as sigmoid cross entropy; "lsgan": squares to 1 and 0; "hinge".

    Returns:
        Scalar float32, >= 0: the mean over batch and patches of both terms, halved, summed over
        scales.

    Raises:
        ValueError: `kind` is another word, or the scales differ.

    Source: S-Flow GAN, eqs. 2 and 3. The sum over scales and the half are pix2pixHD's.
    """
    real, fake = {
        "log": (lambda x: ops.softplus(-x), ops.softplus),
        "lsgan": (lambda x: ops.square(x - 1), ops.square),
        "hinge": (lambda x: ops.relu(1 - x), lambda x: ops.relu(1 + x)),
    }[_known(kind)]
    pairs = _pairs("logits", logits_real, logits_fake)
    return 0.5 * sum(ops.mean(real(r)) + ops.mean(fake(f)) for r, f in pairs)


def generator_loss(logits_fake, kind):
    """How surely the discriminator sees through the generator.

    Args:
        logits_fake: list over scales of (batch, h, w, 1) logits for generated images.
        kind: as in `discriminator_loss`; "log" is the non-saturating form, "hinge" the plain
            negative logit.

    Returns:
        Scalar float32: the mean over batch and patches, summed over scales.

    Raises:
        ValueError: `kind` is another word.

    Source: S-Flow GAN, eqs. 2 and 3, whose log(1 - D) has no gradient where D is sure; -log D is
    the usual stand-in.
    """
    loss = {
        "log": lambda x: ops.softplus(-x),
        "lsgan": lambda x: ops.square(x - 1),
        "hinge": ops.negative,
    }[_known(kind)]
    return sum(ops.mean(loss(ops.cast(x, "float32"))) for x in logits_fake)


def dned_loss(side_outputs, edges, weights, balanced=False):
    """How far the DNED's maps are from the edge map.

    Args:
        side_outputs: (batch, height, width, 6) logits.
        edges: (batch, height, width, 1) in [0, 1], the edge map E(x).
        weights: (batch, 6) non-negative with a positive sum; normalised to sum 1, as in
            `ops.ensemble.ensemble`.
        balanced: give the edge pixels and the rest of an image half the weight each. HED's factors
            have that ratio; they are scaled to a mean of 1 here, so that both settings start at
            log 2.

    Returns:
        Scalar float32, >= 0: sum_i a_i BCE(d_i, E(x)), the mean over batch and pixels.

    Raises:
        ValueError: the shapes do not fit.

    Source: S-Flow GAN, eq. 4. The paper does not say what the a_i sum to; 1 is our choice.
    """
    if side_outputs.shape[-1] != weights.shape[-1] or edges.shape[-1] != 1:
        raise ValueError(
            "side_outputs, edges, weights: expected (batch, height, width, n), (batch, height, "
            f"width, 1) and (batch, n), got {tuple(side_outputs.shape)}, {tuple(edges.shape)}, "
            f"{tuple(weights.shape)}"
        )
    logits, edges, weights = (ops.cast(x, "float32") for x in (side_outputs, edges, weights))
    entropy = ops.softplus(logits) - edges * logits
    if balanced:
        entropy = entropy * _class_balance(edges)
    shares = weights / ops.sum(weights, axis=-1, keepdims=True)
    return ops.mean(ops.sum(shares * ops.mean(entropy, axis=(1, 2)), axis=-1))


def _class_balance(edges):
    """Pixel weights by which edges and the rest of an image count half each."""
    share = ops.mean(edges, axis=(1, 2), keepdims=True)

    def half(x):
        return 0.5 / ops.where(x > 0, x, 1.0)

    return edges * half(share) + (1 - edges) * half(1 - share)


def l1_loss(image_real, image_fake):
    """How far the generated image is from the real one, pixel by pixel.

    Args:
        image_real: (batch, height, width, 3) in [-1, 1]; held constant.
        image_fake: the same; gradients go through this one alone.

    Returns:
        Scalar float32, >= 0: the mean absolute difference over batch, pixels and channels.

    Source: not in S-Flow GAN. pix2pix, eq. 3, with a weight of 100; to compare with.
    """
    return _l1(ops.cast(image_real, "float32"), ops.cast(image_fake, "float32"))


def feature_matching_loss(features_real, features_fake):
    """How far apart the discriminator's features of the real and the generated image are.

    Args:
        features_real: list over scales of the list of feature maps (batch, h, w, c), the logits
            last; held constant.
        features_fake: the same for the generated image; gradients go through this one alone.

    Returns:
        Scalar float32, >= 0: mean over scales of the mean over layers (all but the logits) of the
        mean absolute difference.

    Raises:
        ValueError: the lists differ in length.

    Source: S-Flow GAN, eq. 5, of which the text is lost; the form is pix2pixHD's. There the layers
    of a scale are summed, so that with four of them its weight of 10 is 40 here. Eq. 7 seems to sum
    over scales, which makes no difference to the paper's single one.
    """
    scales = [
        _mean([_l1(r, f) for r, f in _pairs("features", real[:-1], fake[:-1])])
        for real, fake in _zip("features", features_real, features_fake)
    ]
    return _mean(scales)


def perceptual_loss(features_real, features_fake, slice_weights=None):
    """How far apart VGG's features of the real and the generated image are.

    Args:
        features_real: list of P feature maps (batch, h, w, c); held constant.
        features_fake: the same for the generated image; gradients go through this one alone.
        slice_weights: P non-negative numbers, of which only the ratios count; None for equal ones.

    Returns:
        Scalar float32, >= 0: the weighted mean over slices of the mean absolute difference, in
        units of the slice's mean absolute value for the real image.

    Raises:
        ValueError: the lists differ in length.

    Source: S-Flow GAN, eq. 6. The unit is our choice: VGG's features differ in size from slice to
    slice and, a hundredfold, from one set of weights to another (torchvision's, Keras', random
    ones); so the loss' weight means the same with all of them.
    """
    slices = [
        _l1(real, fake) / (ops.mean(ops.abs(ops.stop_gradient(real))) + 1e-8)
        for real, fake in _pairs("features", features_real, features_fake)
    ]
    weights = [1.0] * len(slices) if slice_weights is None else list(slice_weights)
    weighted = [w * x for w, x in _zip("slice_weights, features", weights, slices)]
    return sum(weighted) / sum(weights)


def texture_loss(image_real, image_fake, classes):
    """How much more or less even the surfaces of the generated image are than the real one's.

    Where other losses compare pixel by pixel, and so prefer a surface without grain to one with
    another grain, this one compares how much of it there is: per class, at two scales.

    Args:
        image_real: (batch, height, width, 3) in [-1, 1], sides of at least 2; held constant.
        image_fake: the same; gradients go through this one alone.
        classes: (batch, height, width, C) one-hot label map; pixels of void do not count.

    Returns:
        Scalar float32, 0 to 1: the mean over scales of the mean over pixels of r |f - r|, where r
        and f are what the real and the generated pixels of their class have on average of
        exp(-2 |x - blurred x|), x being grey levels 0..255. At the second scale both sides are half
        as long. r and f are about the shares of even pixels, which differ from those around them by
        less than half a level: bricks and windows, of whatever contrast, count as little as edges,
        so what makes them is not taken for grain. The factor r is there because a class that is
        hardly ever even, as leaves, says little about grain.

    Source: not in S-Flow GAN.
    """
    grey = [
        ops.mean(127.5 * ops.cast(x, "float32"), axis=-1, keepdims=True)
        for x in (ops.stop_gradient(image_real), image_fake)
    ]
    grey, counts, scales = ops.concatenate(grey, axis=-1), ops.cast(classes, "float32"), []
    for _ in range(_TEXTURE_SCALES):
        blur = images.blurred(grey)
        even = ops.exp(-2.0 * ops.abs(grey - blur))
        real, fake = ops.unstack(ops.einsum("bhwc,bhwi->ic", counts, even), axis=0)
        share = real / ops.maximum(ops.sum(counts, axis=(0, 1, 2)), 1.0)
        scales.append(ops.sum(share * ops.abs(fake - real)) / ops.maximum(ops.sum(counts), 1.0))
        grey, counts = (ops.average_pool(x, 2, strides=2) for x in (blur, counts))
    return _mean(scales)


def flow_loss(flow_real, flow_fake, counted=None):
    """Mean absolute difference between two optical flow fields.

    Both must come from `ops.flow.dense_flow` with the same settings; only then does the difference
    speak of the frames and not of the estimator.

    Args:
        flow_real: (batch, height, width, 2) float32, pixels per frame; channel 0 is dx (right), 1
            is dy (down); held constant.
        flow_fake: the same; gradients reach the generator through this argument alone.
        counted: (batch, height, width, 1) in {0, 1}, the pixels that count; all by default.

    Returns:
        Scalar float32, pixels per frame, >= 0; 0 for identical fields, or where no pixel counts.

    Raises:
        ValueError: the shapes differ, or the last axis is not 2.

    Source: S-Flow GAN, sec. 3.3, eq. 8. The paper writes L1 without its reduction; the mean over
    batch, pixels and channels is our choice, and so is `counted`.
    """
    real, fake = tuple(flow_real.shape), tuple(flow_fake.shape)
    if real != fake or real[-1] != 2:
        raise ValueError(
            "flow_real, flow_fake: expected two fields (batch, height, width, 2) of one shape, got "
            f"{real} and {fake}"
        )
    difference = ops.abs(ops.cast(flow_fake, "float32") - ops.stop_gradient(flow_real))
    if counted is None:
        return ops.mean(difference)
    return ops.sum(difference * counted) / ops.maximum(2 * ops.sum(counted), 1.0)


def warping_loss(fake, following_fake, flow_real, real, following_real):
    """How differently a generated film and the real one change along the real one's motion.

    Args:
        fake: (batch, height, width, 3) generated images in [-1, 1].
        following_fake: the same, one frame later.
        flow_real: (batch, height, width, 2) float32, pixels from the one frame to the other.
        real: (batch, height, width, 3) real images in [-1, 1], held constant.
        following_real: the same, one frame later.

    Returns:
        Scalar float32, >= 0, of the range [-1, 1]: the weighted mean over pixels of the mean over
        channels of |(fake - warp(following_fake)) - (real - warp(following_real))|. A pixel's
        weight is exp(-50 |real - warp(following_real)|^2), in the range [0, 1], so that it counts
        where the flow is right and the point is seen in both frames.

    Source: not in S-Flow GAN. The weight is that of Lai et al., "Learning Blind Video Temporal
    Consistency", ECCV 2018. They minimise the change itself; that it is compared with the real
    film's is our choice: where the flow misses detail by a pixel, a sharp film has to change.
    """
    change_fake = fake - backward_warp(following_fake, flow_real)
    change_real = ops.stop_gradient(real - backward_warp(following_real, flow_real))
    weight = ops.exp(-50.0 * ops.sum(ops.square(change_real / 2), axis=-1))
    difference = ops.mean(ops.abs(change_fake - change_real), axis=-1)
    return ops.sum(weight * difference) / (ops.sum(weight) + 1e-8)


def _known(kind):
    if kind not in KINDS:
        raise ValueError(f"kind: expected one of {KINDS}, got {kind!r}")
    return kind


def _zip(name, left, right):
    if len(left) != len(right):
        raise ValueError(
            f"{name}: expected two lists of equal length, got {len(left)} and {len(right)}"
        )
    return zip(left, right, strict=True)


def _pairs(name, real, fake):
    """Both lists side by side, in float32."""
    return [(ops.cast(r, "float32"), ops.cast(f, "float32")) for r, f in _zip(name, real, fake)]


def _l1(real, fake):
    return ops.mean(ops.abs(fake - ops.stop_gradient(real)))


def _mean(values):
    return sum(values) / len(values)
