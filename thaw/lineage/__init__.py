"""The lineage of a model: its records, its drawing, and the comparison with a rebuilt model."""
