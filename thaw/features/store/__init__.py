"""The feature store: immutable parts, keyed by content."""
