"""Pretraining of text encoders on a corpus of one's own."""
