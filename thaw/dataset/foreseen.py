"""What the splits will lack, foreseen before the ingestion: few files are read, and none is decoded."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from thaw.dataset.candidates import Candidate, Source
from thaw.dataset.manifest import TEST, TRAIN
from thaw.dataset.places import Places
from thaw.dataset.splits import Splitter
from thaw.foundation.files.atomic import digest_bytes
from thaw.kinds.kind import Attributing, Kind
from thaw.params.sections import SplitParams

OriginOf = Callable[[bytes], str | None]
_SHOWN, _LOOKED_AT = 3, 8


@dataclass(frozen=True)
class Foreseen:
    """The labels without a training example, and whether any labelled file is to be trained and tested on.

    untaught: each with its number of files. grouped: the number of groups that decide the splits; 0: there are none.
    wants_test: whether the splits have a test at all.
    """

    untaught: tuple[tuple[str, int], ...]
    trained: bool
    tested: bool
    everywhere: tuple[str, ...]
    grouped: int
    wants_test: bool

    def why_untaught(self) -> str | None:
        """What is wrong with the training examples, with a remedy; None: nothing."""
        if not self.trained:
            return f"no labelled file would be trained on; {self._remedy()}"
        if self.untaught:
            shown = ", ".join(
                f"`{name}` ({count} {'file' if count == 1 else 'files'})" for name, count in self.untaught[:_SHOWN]
            )
            more = f" and {len(self.untaught) - _SHOWN} more" if len(self.untaught) > _SHOWN else ""
            return f"no training example would show {shown}{more}; {self._remedy()}, or leave that class out"
        if self.everywhere:
            shown = ", ".join(f"`{name}`" for name in self.everywhere)
            return f"every file shows {shown}, so a model cannot learn when to name it; leave that label out, or add files without it"
        return None

    def why_untested(self) -> str | None:
        """What is wrong with the test, with a remedy; None: nothing."""
        if self.tested:
            return None
        remedy = self._remedy() if self.wants_test else "raise dataset.splits.test, or put files into a folder `test`"
        return f"no labelled file would be in the test; {remedy}"

    def _remedy(self) -> str:
        if self.grouped == 1:
            return "all rows have the same group, and a group stays in one split: give each of its parts its own group, or leave the column out"
        if self.grouped:
            return f"there are {self.grouped} groups, and a group stays in one split: use smaller groups, or name the splits in a column `split`"
        return "add files, or name the splits yourself (folders train, val and test, or a column `split`)"


def foresee(
    source: Source,
    places: Places,
    shares: SplitParams,
    corrected: frozenset[str] = frozenset(),
    *,
    kind: Kind | None = None,
) -> Foreseen:
    """What the splits will lack. Where names and groups do not tell a file's split its content does; then only as many files are read as are
    needed to find one of each class that is trained on. Splits by date are not foreseen, because every file would have to be read.

    Args:
        source: with its files not yet opened.
        places: of the source's files.
        shares: of the splits.
        corrected: labels that corrections give to files, which therefore may be trained on.
        kind: of the examples, whose files may say themselves whom they are of; None: they say nothing.
    """
    splitter = Splitter.of((candidate.split for candidate in source.candidates), shares)
    if shares.order == "date" and not splitter.own:
        return Foreseen((), trained=True, tested=True, everywhere=(), grouped=0, wants_test=shares.test > 0)
    labelled = [candidate for candidate in source.candidates if candidate.names is not None]
    counts = Counter(name for candidate in labelled for name in candidate.names or ())
    untaught, trained, tested = set(counts) - corrected, bool(corrected), False
    wants_test = bool(splitter.own) or shares.test > 0
    origin_of = _origins(labelled, places, kind)
    for candidate in _cheap_first(labelled, splitter):
        names = set(candidate.names or ())
        if trained and (tested or not wants_test) and not names & untaught:
            continue
        split = _split(candidate, places, splitter, origin_of)
        trained, tested = trained or split == TRAIN, tested or split == TEST
        if split == TRAIN:
            untaught -= names
    sets = any(candidate.labels is not None for candidate in labelled)
    return Foreseen(
        tuple((name, counts[name]) for name in sorted(untaught)),
        trained,
        tested,
        tuple(sorted(name for name in counts if counts[name] == len(labelled))) if sets else (),
        len({candidate.group for candidate in labelled if candidate.group}) if not splitter.own else 0,
        wants_test,
    )


def expected_test_rows(source: Source, shares: SplitParams) -> int:
    """The number of labelled files that will be in the test; where their contents decide, the number to expect. No file is read."""
    splitter = Splitter.of((candidate.split for candidate in source.candidates), shares)
    labelled = [candidate for candidate in source.candidates if candidate.names is not None]
    hashed = shares.order == "hash"
    known = [each for each in labelled if splitter.own or (hashed and each.group is not None)]
    tested = sum(splitter.split(named=each.split, digest=b"", group=each.group) == TEST for each in known)
    return tested + round(shares.test * (len(labelled) - len(known)))


def _cheap_first(candidates: Sequence[Candidate], splitter: Splitter) -> Iterator[Candidate]:
    """First the files whose split needs no content."""
    yield from (candidate for candidate in candidates if splitter.own or candidate.group is not None)
    yield from (candidate for candidate in candidates if not splitter.own and candidate.group is None)


def _origins(candidates: Sequence[Candidate], places: Places, kind: Kind | None) -> OriginOf:
    """What tells whom a file is of; nobody, if the first and last files that are looked at all name the same one (see `thaw.dataset.origins`)."""
    if not isinstance(kind, Attributing):
        return _nobody
    looked_at = [_content(places, candidate) for candidate in spread_over(candidates, _LOOKED_AT)]
    origins = [kind.origin(content) for content in looked_at if content is not None]
    return _nobody if len(origins) > 1 and len({*origins}) == 1 else kind.origin


def _nobody(_: bytes) -> None:
    return None


def _content(places: Places, candidate: Candidate) -> bytes | None:
    """The bytes of a file; None: it cannot be read, and the ingestion will reject it."""
    try:
        return places.at(candidate.path).read_bytes()
    except OSError:
        return None


def _split(candidate: Candidate, places: Places, splitter: Splitter, origin_of: OriginOf) -> str | None:
    """The split; None: the file cannot be read, and the ingestion will reject it."""
    if splitter.own or candidate.group is not None:
        return splitter.split(named=candidate.split, digest=b"", group=candidate.group)
    content = _content(places, candidate)
    if content is None:
        return None
    return splitter.split(named=candidate.split, digest=digest_bytes(content), group=origin_of(content))


def spread_over(candidates: Sequence[Candidate], most: int) -> Sequence[Candidate]:
    """At most so many candidates, spread evenly over all."""
    step = max(1, len(candidates) // most)
    return candidates[::step][:most]
