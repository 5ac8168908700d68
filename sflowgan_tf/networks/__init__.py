"""Generator, discriminator, DNED and VGG, in Keras alone."""
