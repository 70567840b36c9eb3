"""The pretraining of the embedded sound network: synthetic speech, and transcripts of it."""
