"""The packages of the providers, imported at their first use."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from thaw.foundation.errors import BadParameters


def package(name: str, extra: str) -> ModuleType:
    """The package.

    Raises:
        BadParameters: it is not installed; the message names the extra that brings it.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise BadParameters(
            f"backbone.weights: networks of {name} need the package {name}, which is not installed; run `pip install -e '.[{extra}]'` in Thaw's folder"
        ) from error


def is_installed(name: str) -> bool:
    """Whether the package is installed; it is not imported."""
    return find_spec(name) is not None
