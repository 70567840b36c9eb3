"""Targets: the meaning of labels, and the measurement of predictions against them."""
