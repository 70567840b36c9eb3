"""Strategies: what is trained, what it is measured against, and what pays."""
