"""Encoders of texts: networks whose names state their sizes."""
