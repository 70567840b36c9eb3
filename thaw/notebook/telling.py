"""What a person at a notebook is told while work is done: sentences, and one line of progress that is written over."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from thaw.foundation.parallel.progress import Progress

_PATIENCE_S = 1.0
"""Work that ends sooner shows no progress."""


@dataclass(frozen=True)
class Teller:
    """quiet: whether nothing is said."""

    quiet: bool = False

    def say(self, sentence: str) -> None:
        """Write a sentence to standard error."""
        if not self.quiet:
            sys.stderr.write(f"{sentence}\n")
            sys.stderr.flush()

    @contextmanager
    def counted(self, work: str, unit: str) -> Iterator[Progress]:
        """A context with a callback for the number of finished `unit` ("examples") of `work`. Terminals and notebooks show one line."""
        line = _Line(f"{work}: ", unit, self)
        yield line
        line.end()


class _Line:
    """A line of progress, written anew for each tenth."""

    def __init__(self, beginning: str, unit: str, teller: Teller) -> None:
        self._beginning, self._unit, self._teller = beginning, unit, teller
        self._began, self._tenths, self._shown = time.monotonic(), -1, False

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` are finished."""
        tenths = 10 * done // total if total else 0
        if self._teller.quiet or tenths == self._tenths or time.monotonic() - self._began < _PATIENCE_S:
            return
        self._tenths, self._shown = tenths, True
        sys.stderr.write(f"\r{self._beginning}{done:,} of {total:,} {self._unit} ({10 * tenths} %)")
        sys.stderr.flush()

    def end(self) -> None:
        """End the line, if there is one."""
        if self._shown:
            sys.stderr.write("\n")
