"""Lineage: the way from a version to every example of its training, and back."""
