"""Label sets: examples that show several classes at once, or none. What `thaw` does with one label an example, done with a set of them."""
