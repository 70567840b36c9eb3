"""Drift: the comparison of new examples with those that a model was tested on."""
