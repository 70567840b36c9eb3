"""Thaw: a small labelled data set and a large pretrained network in, a model out."""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """A name of `thaw/__init__.pyi`, imported when it is first asked for, so that `import thaw` itself costs nothing (PEP 562)."""
    from importlib import import_module

    if name.startswith("_"):
        raise AttributeError(f"module 'thaw' has no attribute {name!r}")
    found: object = import_module("thaw.notebook.names").named(name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Every name, without an import of any of them."""
    from importlib import import_module

    return sorted({*globals(), *import_module("thaw.notebook.names").NAMES})
