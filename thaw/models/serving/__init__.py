"""A model that is ready to answer: the fastest engine for few examples and for many, the nearest training examples, and the pages of the server."""
