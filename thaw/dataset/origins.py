"""Groups by what files say themselves: the examples of one patient stay in one split, though no table names the patient.

An origin may be personal, and a hash of a short number is undone by trying all numbers. So a manifest holds neither: its groups are numbers in the order of the
paths. The split comes from the origin itself (see `thaw.dataset.splits`), so it is the same on every machine, and does not change as the data grow.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Origins:
    """The origins of a set. of: each file's, by path; personal, and only for comparison. names: the name of each origin in the manifest. notes, warnings:
    sentences."""

    of: Mapping[str, str]
    names: Mapping[str, str]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def group(self, path: str) -> str | None:
        """The name of a file's group; None: it has none."""
        return self.names.get(self.of.get(path, ""))


def settle_origins(stated: Mapping[str, str | None]) -> Origins:
    """The groups of files; stated: the origin that each file without another group states, by path.

    If all files state one and the same origin, as after an anonymisation, there is no group, because the whole set would be in one split.
    """
    of = {path: stated_origin for path, stated_origin in sorted(stated.items()) if stated_origin}
    names = {origin: f"origin-{number}" for number, origin in enumerate(dict.fromkeys(of.values()), 1)}
    if len(names) == 1 and len(of) > 1:
        warning = (
            f"All {len(of)} files that name whom they are of (the patient) name the same one, as after an anonymisation, so they make no groups. If they are "
            "of several patients, name these in the column group of a listing (`dataset.listing`); else the test looks better than it is."
        )
        return Origins({}, {}, (), (warning,))
    return Origins(of, names, tuple(_notes(len(stated), len(of), len(names))))


def _notes(files: int, stating: int, origins: int) -> list[str]:
    if not origins:
        return []
    rest = f"; the other {files - stating} name none, and stand for themselves" if stating < files else ""
    return [
        f"{stating} files name whom they are of (the patient): {origins} groups, each in one split{rest}. The manifest has numbers for them."
    ]
