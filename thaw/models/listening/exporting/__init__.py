"""A trigger as one graph, with a program that listens and needs nothing of Thaw."""
