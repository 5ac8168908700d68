"""Scenes to pictures and films, through a trained model wherever it runs."""
