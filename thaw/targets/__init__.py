"""Targets: what a label is, and how predictions are measured against it."""
