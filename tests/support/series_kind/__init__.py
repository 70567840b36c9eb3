"""A package of somebody else's that brings Thaw a kind of its own: short series of numbers in CSV files, and a small network that takes them."""
