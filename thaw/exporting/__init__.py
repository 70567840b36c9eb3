"""Exporting: a model as one graph, pixels to probabilities, for those who run it without Thaw."""
