"""The stages of `dvc.yaml`, a module each."""
