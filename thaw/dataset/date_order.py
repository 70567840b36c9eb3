"""Splits in the order of dates that files state: the newest are the test, as a model in use meets only what is newer than its training.

A date may be personal. It is compared and not written: a manifest holds the splits alone.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from blake3 import blake3

from thaw.dataset.manifest import TEST, TRAIN, VAL
from thaw.foundation.errors import BadSource
from thaw.params.sections import SplitParams


@dataclass(frozen=True)
class Dated:
    """A file. key: of what shares a split with it: its group, or its content. date: as text that sorts in time; None: the file states none."""

    key: bytes
    date: str | None


@dataclass(frozen=True)
class DateOrder:
    """The splits by path, and sentences on them."""

    of: Mapping[str, str]
    notes: tuple[str, ...]


def order_by_date(files: Mapping[str, Dated], shares: SplitParams) -> DateOrder:
    """The splits of files by path: the newest groups are the test, those before them the validation; a group's date is its newest file's.

    So no training file is newer than the oldest group of the test. A group lies where its middle file lies among all dated files; groups of one date are in the
    order of a hash. Files without a date are trained on.

    Raises:
        BadSource: the files state fewer than two dates.
    """
    members: dict[bytes, list[str]] = defaultdict(list)
    for path, file in sorted(files.items()):
        members[file.key].append(path)
    newest = {
        key: max((date for path in paths if (date := files[path].date)), default=None) for key, paths in members.items()
    }
    dates = {date for date in newest.values() if date is not None}
    if len(dates) < 2:
        found = "all state the same date" if dates else "no file states one"
        raise BadSource(
            f"dataset.splits.order: date given, and {found}; set dataset.splits.order=hash, or name the splits in a column split of a listing"
        )
    dated = sorted(
        ((date, blake3(key).digest(), key) for key, date in newest.items() if date is not None), reverse=True
    )
    total, before, of = sum(len(members[key]) for _, _, key in dated), 0, dict.fromkeys(files, TRAIN)
    for _, _, key in dated:
        position = (before + len(members[key]) / 2) / total
        before += len(members[key])
        of |= dict.fromkeys(members[key], _split_at(position, shares))
    return DateOrder(of, tuple(_notes(len(dated), len(files) - total)))


def _split_at(position: float, shares: SplitParams) -> str:
    if position < shares.test:
        return TEST
    return VAL if position < shares.test + shares.val else TRAIN


def _notes(groups: int, undated: int) -> list[str]:
    rest = f" {undated} files state no date, and are trained on." if undated else ""
    return [
        f"The splits are in the order of dates: {groups} patients or single files, the newest in the test. The dates are not kept, and a split changes as "
        f"newer files come.{rest}"
    ]
