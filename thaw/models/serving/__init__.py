"""A model made ready to answer: the fastest engine for few images and for many, its nearest training images, and the pages that show it."""
