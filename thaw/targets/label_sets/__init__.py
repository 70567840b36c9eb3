"""Label sets: each example has any number of labels."""
