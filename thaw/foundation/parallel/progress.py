"""The progress of long work, as a callback."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""A function that gets the number of finished items and the number of all items."""


def untold(done: int, total: int) -> None:
    """Show no progress."""
