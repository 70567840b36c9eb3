"""Statistics: the bootstrap, paired proportions, binomial bounds."""
