"""Extraction: the frozen backbone, run once over what has no features yet."""
