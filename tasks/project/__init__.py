"""The project around a stage: paths, state, locks, Git."""
