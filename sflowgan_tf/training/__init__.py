"""Training: networks, optimizers and losses joined; runs with checkpoints, curves and sheets."""
