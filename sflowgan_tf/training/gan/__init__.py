"""The training steps."""
