"""Evaluation: a model on the test split, and its report."""
