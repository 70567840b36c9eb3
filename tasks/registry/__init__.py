"""The MLflow registry: versions, aliases, promotion."""
