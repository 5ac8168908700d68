"""Records to a run: networks, optimizers and losses, joined, trained, kept and shown."""
