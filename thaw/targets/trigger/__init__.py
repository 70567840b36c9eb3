"""The trigger: a word or a sound that is found in a stream, at a stated number of false accepts an hour."""
