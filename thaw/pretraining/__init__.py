"""Pretraining: the small backbone that ships with the repository."""
