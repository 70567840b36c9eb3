"""The progress of long work, as a callback."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""A function that gets the number of finished items and the number of all items."""


def following(progress: Progress, before: int, total: int) -> Callable[[int], None]:
    """A callback for a part of the work, which gets the number of its finished items; `before`: the number of items before it."""
    return lambda done: progress(before + done, max(before + done, total))


def untold(done: int, total: int) -> None:
    """Show no progress."""
