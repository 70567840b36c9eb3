"""Parameters: `params.yaml` as frozen models."""
