"""The split of an example: by the source's own name for it, else by a hash against fixed thresholds."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from blake3 import blake3

from thaw.dataset.manifest import TEST, TRAIN, VAL
from thaw.params.sections import SplitParams


def hashed_split(*, digest: bytes, group: str | None, shares: SplitParams) -> str:
    """The split of an example by a hash of its group, or of its digest if it has no group.

    The split depends on nothing else. So an example never changes its split as the data grow, and copies and groups stay together. The test takes the lowest
    hashes, so another share for validation moves no example into or out of the test.
    """
    key = b"digest\0" + digest if group is None else b"group\0" + group.encode()
    position = int.from_bytes(blake3(key).digest(8), "big") / 2**64
    if position < shares.test:
        return TEST
    return VAL if position < shares.test + shares.val else TRAIN


@dataclass(frozen=True)
class Splitter:
    """The rule that gives examples their splits. own: the splits that the source itself names; if it names none, the hash decides.

    A source that names only train has no split of its own. In a source with train and val, but no test, val becomes the test. An example without a named split
    in such a source (a file beside the class folders, an empty cell) is in train.
    """

    own: frozenset[str]
    shares: SplitParams

    @classmethod
    def of(cls, named: Iterable[str | None], shares: SplitParams) -> Self:
        """Build from the splits that the source names for its examples; None stands for an example without one."""
        own = frozenset(name for name in named if name is not None)
        return cls(own if own != {TRAIN} else frozenset(), shares)

    @property
    def val_is_test(self) -> bool:
        """Whether the source's val is reported as the test."""
        return VAL in self.own and TEST not in self.own

    def split(self, *, named: str | None, digest: bytes, group: str | None) -> str:
        """The split of one example; `named` is the source's own name for it, or None."""
        if not self.own:
            return hashed_split(digest=digest, group=group, shares=self.shares)
        if named is None:
            return TRAIN
        return TEST if named == VAL and self.val_is_test else named
