"""S-Flow GAN: scenes of a simulator become photo-realistic images and steady videos."""

__version__ = "0.1.0"
