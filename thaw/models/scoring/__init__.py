"""Scoring: a deployed model's answers for any number of images, streamed to Parquet."""
