"""How far long work has come, told to whoever shows it."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with the number of items done, and of all that are to be done."""


def untold(done: int, total: int) -> None:
    """Tells nobody."""
