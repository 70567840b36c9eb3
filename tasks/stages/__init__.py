"""The stages: one module each, as `dvc.yaml` runs them."""
