"""Drift: the comparison of new images with those that a model was tested on."""
