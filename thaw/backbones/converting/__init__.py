"""Other programs' files, and their conversion to backbones."""
