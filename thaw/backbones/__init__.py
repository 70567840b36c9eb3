"""Backbones: pretrained networks, where they are cut, and what runs them."""
