"""Sources of examples: a folder of class folders, such folders inside train, val and test, or a listing."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from thaw.dataset.arrangement import doubts_about_layout, refuse_annotations, unread_tables
from thaw.dataset.candidates import Candidate, Rejected, Source
from thaw.dataset.class_names import check_class_names, doubts_about_names, listed_names
from thaw.dataset.finding_columns import FindingColumns
from thaw.dataset.listings import read_listing
from thaw.dataset.slice_columns import refuse_without_table
from thaw.dataset.split_names import splits_named
from thaw.foundation.errors import BadSource
from thaw.foundation.files.walking import ListedFile, files_below, folders_in, unfollowable_links

__all__ = ["read_source", "unfollowable_links"]


def read_source(
    root: Path,
    listing: str | None = None,
    *,
    rows: bool = False,
    pieces: bool = False,
    encoding: str | None = None,
    findings: FindingColumns | None = None,
    slices: Sequence[str] = (),
) -> Source:
    """Find every candidate example of a source, without opening any file but a table.

    In a folder of class folders the label is the top folder's name, at any depth of the file; a file beside the class folders is unlabelled. Hidden and
    stray names are skipped.

    Args:
        root: the source's folder; or a table, if its rows may be examples.
        listing: a table, by its path relative to `root`; None: the folders are the classes.
        rows: whether the rows of a table may be examples, see `Kind.takes_rows`.
        pieces: whether a listing may name pieces of recordings, see `Cutting`.
        encoding: of a table; None: UTF-8.
        findings: columns of the listing that together are the label set; None: it has a column label or labels.
        slices: columns of a table that part the examples, see `thaw.dataset.slices`.

    Raises:
        BadSource: the source does not exist, has an ambiguous layout, holds no file, has class names that differ only by case, or has no table
            with the slices.
    """
    if rows and listing is None and root.is_file():
        root, listing = root.parent, root.name
    if not root.is_dir():
        reason = "is a file, not a folder" if root.exists() else "does not exist"
        raise BadSource(f"the data set's source `{root}` {reason}; set `dataset.source` to a folder of class folders")
    if listing is None:
        refuse_without_table(root, slices)
        source = _read_folders(root)
    else:
        source = read_listing(
            root, listing, rows=rows, pieces=pieces, encoding=encoding, findings=findings, slices=slices
        )
    if not source.candidates and not source.rejected:
        raise BadSource(
            f"the data set's source `{root}` holds no files; put a folder of examples for each class into it"
        )
    names = check_class_names(root, (name for candidate in source.candidates for name in candidate.names or ()))
    doubts = doubts_about_names(source.candidates, listed=listing is not None)
    return replace(source, notes=(*source.notes, *names), warnings=(*source.warnings, *doubts))


def _read_folders(root: Path) -> Source:
    splits = _split_folders(root)
    files = sorted(files_below(root), key=lambda file: file.path)
    candidates = tuple(_candidate(file, splits) for file in files if file.reason is None)
    refuse_annotations(root, candidates)
    rejected = tuple(Rejected(file.path, file.reason) for file in files if file.reason is not None)
    empty, doubts = _empty_classes(root, splits, candidates), doubts_about_layout(root, splits)
    return Source(candidates, rejected, tuple(empty), (*doubts, *unread_tables(candidates)))


def _split_folders(root: Path) -> dict[str, str]:
    """The top folders that are splits, with the split of each; empty if the top folders are classes.

    A single folder with a split's name among others may well be a class (`train` beside `plane`); two such folders cannot.
    """
    top = folders_in(root)
    splits = splits_named(top)
    others = [name for name in top if name not in splits]
    if others and len(set(splits.values())) > 1:
        raise BadSource(
            f"`{root}` holds the split folders {listed_names(splits)} beside {listed_names(others)}, "
            f"so it is unclear which folders are classes; move {listed_names(others)} out of it"
        )
    if splits and not others and "train" not in splits.values():
        raise BadSource(
            f"`{root}` holds {listed_names(splits)} but no folder `train`; there would be no example to train on"
        )
    return {} if others else splits


def _candidate(file: ListedFile, splits: dict[str, str]) -> Candidate:
    folders = file.path.split("/")[:-1]
    split = splits.get(folders[0]) if folders else None
    classes = folders[1:] if split else folders
    return Candidate(file.path, classes[0] if classes else None, split)


def _empty_classes(root: Path, splits: dict[str, str], candidates: Iterable[Candidate]) -> Iterable[str]:
    """A note on each class folder without a file."""
    tops = {"/".join(candidate.path.split("/")[: 2 if splits else 1]) for candidate in candidates}
    folders = (
        [f"{split}/{name}" for split in splits for name in folders_in(root / split)] if splits else folders_in(root)
    )
    return [f"The class folder `{folder}` holds no files." for folder in folders if folder not in tops]
