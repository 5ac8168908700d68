"""Settings of configurations, as words of a command."""

# What minicity's recipe has beyond the paper's networks, taken back: nothing is read of released
# weights, and no colours are seen.
PLAIN = [
    "generator.grain=false",
    "appearance.kind=none",
    "dned.weights=random",
    "dned.sees=edges",
    "dned.trained=true",
    "dned.jitter=0",
    "dned.sharpening=0",
    "perceptual.network=vgg19",
    "perceptual.scale=1",
    "losses.l1=40",
]

# Networks that take no time, in that recipe.
TINY_NETWORKS = [
    *PLAIN,
    "generator.filters=4",
    "generator.downsamplings=1",
    "discriminator.filters=2",
    "discriminator.depth=1",
    "dned.filters=2",
    "perceptual.weights=random",
    "perceptual.slices=1",
    "perceptual.filters=2",
]
