"""Backbones: pretrained networks, their cut layers, and the engines that run them."""
