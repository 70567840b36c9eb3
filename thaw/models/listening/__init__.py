"""Listening: a detector on a stream, with the same scores as on the whole recording."""
