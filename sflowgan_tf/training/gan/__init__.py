"""What is trained: networks, objective, phases and the step of the image and the video GAN."""
