"""Thaw: a small labelled data set and a large pretrained network in, a model out."""

__version__ = "0.1.0"
