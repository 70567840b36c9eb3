"""Scoring: a deployed model's answers for any number of examples, streamed to Parquet."""
