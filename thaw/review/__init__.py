"""The review by a person: labels that look wrong, near-copies across splits, and images that are worth a label."""
