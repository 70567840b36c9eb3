"""Where a model comes from: what is kept with it, how it is drawn, and whether one that was rebuilt is the same."""
