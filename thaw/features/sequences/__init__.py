"""Sequences of features: a network's places over time, of streams and of whole recordings."""
