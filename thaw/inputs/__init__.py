"""What decodes an example: one module for each kind of input."""
