"""One label: each example belongs to one class."""
