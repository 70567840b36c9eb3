"""Kinds of input: what an example is, how it is read, prepared and shown."""
