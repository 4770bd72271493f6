"""Trained tickets as folders for other programs."""
