"""What a person should look at: labels that look wrong, near-copies across splits, and images that are worth a label."""
