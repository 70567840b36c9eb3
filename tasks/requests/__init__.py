"""The requests of a person, beside the stages."""
