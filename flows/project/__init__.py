"""The project around a command: environment, parameters, errors."""
