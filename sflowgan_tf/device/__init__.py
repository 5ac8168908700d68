"""What runs on a device: NumPy, LiteRT (ai-edge-litert) and pypng are all that it needs."""
