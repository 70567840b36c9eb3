"""The end of processes and of their children."""
