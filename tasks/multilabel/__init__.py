"""What the stages do where images have sets of labels; the stages themselves look at the manifest and call this."""
