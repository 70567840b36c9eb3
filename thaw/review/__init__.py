"""The review by a person: labels that look wrong, near-copies across splits, and examples that are worth a label."""
