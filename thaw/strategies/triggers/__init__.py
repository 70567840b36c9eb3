"""The advice on triggers: one new layer, or several, by their misses at the budget."""
