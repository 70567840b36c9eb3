"""Data sets: from a source to the manifest."""
