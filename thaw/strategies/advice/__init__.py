"""The advice: what the data say about the strategy, measured on cached features."""
