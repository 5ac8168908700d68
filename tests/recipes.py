"""Settings of configurations, as words of a command."""

# What minicity's recipe has beyond the paper's networks, taken back: nothing is read of released
# weights, and no colours are seen.
PLAIN = [
    "appearance.kind=none",
    "dned.weights=random",
    "dned.sees=edges",
    "dned.trained=true",
    "dned.jitter=0",
    "perceptual.network=vgg19",
    "perceptual.scale=1",
    "losses.l1=40",
]
