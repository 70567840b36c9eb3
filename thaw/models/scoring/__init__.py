"""Scoring: what a deployed model says of any number of images, streamed to Parquet."""
