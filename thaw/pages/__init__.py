"""Pages: the layout of every HTML page, and the frame of every figure."""
