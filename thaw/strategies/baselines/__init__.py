"""Baselines: models without transfer."""
