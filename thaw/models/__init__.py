"""Models: a backbone and a head that answer together."""
