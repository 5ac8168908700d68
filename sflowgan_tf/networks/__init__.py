"""Generator, discriminator, DNED, VGG and HED, in Keras alone."""
