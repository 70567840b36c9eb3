"""The Prefect server: deployments, schedules, automations, workers."""
