"""What drives the stages: Prefect flows and the command line."""
