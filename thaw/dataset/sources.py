"""A source as a kind of examples sees it."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from thaw.dataset.candidates import Candidate, Source
from thaw.dataset.finding_columns import FindingColumns
from thaw.dataset.folders import read_source
from thaw.foundation.errors import BadSource
from thaw.kinds.kind import Cutting, Kind

_SHOWN = 3


def source_of_kind(
    kind: Kind,
    root: Path,
    listing: str | None = None,
    encoding: str | None = None,
    *,
    findings: FindingColumns | None = None,
    slices: Sequence[str] = (),
) -> Source:
    """See `thaw.dataset.folders.read_source`; with a warning if the kind's examples usually have an origin in common, and no group says which.

    Raises:
        BadSource: see `read_source`; or the splits of the source part such a group.
    """
    source = read_source(
        root,
        listing,
        rows=kind.takes_rows,
        pieces=isinstance(kind, Cutting),
        encoding=encoding,
        findings=findings,
        slices=slices,
    )
    if kind.shared_origin is None:
        return source
    _refuse_parted_groups(root, source.candidates, kind.shared_origin)
    return source.warning(*_doubts(kind, source.candidates))


def _doubts(kind: Kind, candidates: Sequence[Candidate]) -> list[str]:
    labelled = [candidate for candidate in candidates if candidate.names is not None]
    if not labelled or any(candidate.group is not None for candidate in labelled):
        return []
    return [
        f"No {kind.words.one} has a group. If several {kind.words.many} share {kind.shared_origin}, name it in the column group of a listing "
        "(`dataset.listing`), and they stay in one split; else some are trained on and others tested on, and the test looks better than it is."
    ]


def _refuse_parted_groups(root: Path, candidates: Sequence[Candidate], origin: str) -> None:
    splits: dict[str, set[str]] = defaultdict(set)
    for candidate in candidates:
        if candidate.group is not None and candidate.split is not None:
            splits[candidate.group].add(candidate.split)
    if parted := sorted(group for group, names in splits.items() if len(names) > 1):
        shown = ", ".join(f"`{group}`" for group in parted[:_SHOWN])
        more = f" and {len(parted) - _SHOWN} more" if len(parted) > _SHOWN else ""
        raise BadSource(
            f"`{root}` has groups in more than one split: {shown}{more}; the model would be tested on {origin} that it has trained on. "
            "Leave the splits out, and they are drawn by group"
        )
