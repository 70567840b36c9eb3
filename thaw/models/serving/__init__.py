"""A model that is ready to answer: the fastest engine for few images and for many, the nearest training images, and the pages of the server."""
