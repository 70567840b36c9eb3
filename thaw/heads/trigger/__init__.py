"""Detectors of a trigger: heads on windows of a sequence of features."""
