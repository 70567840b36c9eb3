"""Lineage: from a version to every example that it learnt from, and back."""
