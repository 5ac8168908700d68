"""Distances between sets of pictures and videos."""
