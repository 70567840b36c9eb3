"""The gates that a challenger must pass to become `champion`, a small module each, and the decision on all of them together."""
