"""The transfer certificate: every strategy on the same images and seeds, beside baselines, and what that shows."""
