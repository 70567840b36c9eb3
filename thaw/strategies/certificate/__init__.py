"""The transfer certificate: every strategy and baseline on the same examples and seeds, with the conclusions."""
