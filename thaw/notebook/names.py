"""What `import thaw` offers, by name; `thaw/__init__.pyi` says the same to type checkers and editors."""

from collections.abc import Mapping
from importlib import import_module

NAMES: Mapping[str, str] = {
    "Advised": "advice",
    "Model": "model",
    "Report": "report",
    "ThawFeatures": "transformer",
    "advise": "advice",
    "extract": "extracting",
    "fit": "fitting",
    "load": "model",
    "rank": "ranking",
}
"""The module of each name in this room."""


def named(name: str) -> object:
    """The function or class of a name.

    Raises:
        AttributeError: there is no such name; the message has those that there are.
    """
    if name not in NAMES:
        raise AttributeError(f"module 'thaw' has no attribute {name!r}; it has {', '.join(NAMES)}")
    found: object = getattr(import_module(f"thaw.notebook.{NAMES[name]}"), name)
    return found
