"""Extraction: one pass of the frozen backbone over the examples without features."""
