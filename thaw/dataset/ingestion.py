"""Ingestion: every file of a source is opened, hashed and decoded once, and the usable examples become the manifest."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath

from thaw.dataset.candidates import Candidate, Rejected, Source
from thaw.dataset.class_names import check_class_names
from thaw.dataset.corrections import Change, Corrections, correct, correct_set
from thaw.dataset.date_order import Dated, DateOrder, order_by_date
from thaw.dataset.finding_columns import findings_of
from thaw.dataset.ingest_report import Accepted, IngestReport, build_report
from thaw.dataset.label_sets import join_labels
from thaw.dataset.manifest import TRIGGER, Example, Manifest, build_manifest
from thaw.dataset.origins import Origins, settle_origins
from thaw.dataset.pieces import piece_in
from thaw.dataset.places import Place, Places, read_within
from thaw.dataset.slices import Slices, slices_of
from thaw.dataset.sources import source_of_kind
from thaw.dataset.splits import Splitter
from thaw.dataset.triggers import NO_AIM, Aim, aimed, corrected_to, hours_without
from thaw.foundation.errors import BadExample, BadParameters, BadSource, TooManyRejected
from thaw.foundation.files.atomic import digest_bytes
from thaw.foundation.files.content import HEAD_BYTES, misplaced
from thaw.foundation.parallel.ordered_map import map_ahead, usable_cores
from thaw.foundation.parallel.progress import Progress, untold
from thaw.kinds.kind import Attributing, Dating, Kind, Limits, SetDecoding, Stored, Words
from thaw.kinds.registry import kind_named, kind_names
from thaw.params.sections import DatasetParams

_NONE: Corrections = {}
_IN_FLIGHT = 4
"""The number of open files for each worker: enough to keep all workers busy, and few enough to bound the memory."""
_SHOWN = 5


@dataclass(frozen=True)
class Ingested:
    """The result of an ingestion: the manifest, the rejected files and the effects of corrections (both sorted by path), and the report. slices: None if none
    are named."""

    manifest: Manifest
    rejected: tuple[Rejected, ...]
    changes: tuple[Change, ...]
    report: IngestReport
    slices: Slices | None = None


def ingest(
    places: Places,
    params: DatasetParams,
    kind: Kind,
    *,
    corrections: Corrections = _NONE,
    aim: Aim = NO_AIM,
    workers: int | None = None,
    progress: Progress = untold,
) -> Ingested:
    """Open, hash and decode every file of a source, and build its manifest.

    The result depends only on the source's bytes and names, `params` and `corrections`, and not on the number of workers or the disk's order of files. In
    memory are a row for each file, and a few examples at a time.

    Args:
        places: of the source's examples.
        kind: of the examples.
        params: `listing`, `splits`, `max_rejected` and the limits are used.
        corrections: labels that replace the source's; corrections of missing examples have no effect.
        aim: the target of the labels.
        workers: number of threads; None: one for each core.
        progress: called after each file.

    Raises:
        BadSource: the source is missing, has an ambiguous layout, is of another kind, has fewer than two classes, or names that differ only by case.
        BadParameters: see `thaw.dataset.triggers.aimed`.
        TooManyRejected: more than `params.max_rejected` files are rejected; it carries the list of them.
    """
    source = places.source
    labelled = source_of_kind(
        kind, source, params.listing, places.encoding, findings=findings_of(params), slices=params.slices
    )
    candidates_found = aimed(labelled, aim, kind)
    reading = partial(_read, kind, places, params.limits, params.splits.order == "date")
    read = _read_all(reading, candidates_found.candidates, workers or usable_cores(), progress)
    refuse_other_kind(
        places, [entry.path for entry in read if isinstance(entry, Rejected)], len(read), kind, params.limits
    )
    rejected = sorted(
        [*candidates_found.rejected, *(entry for entry in read if isinstance(entry, Rejected))],
        key=lambda entry: (entry.path, entry.reason),
    )
    _refuse_too_many(source, rejected, params.max_rejected)
    splitter = Splitter.of((candidate.split for candidate in candidates_found.candidates), params.splits)
    origins = settle_origins(
        {one.candidate.path: one.origin for one in read if isinstance(one, _Read) and one.candidate.group is None}
    )
    usable = [entry for entry in read if isinstance(entry, _Read)]
    by_date = _dates_of(usable, origins, params) if params.splits.order == "date" and not splitter.own else None
    offered = [_accept(kind, entry, splitter, origins, by_date) for entry in usable]
    accepted, changes = _correct(offered, corrections, aim)
    check_class_names(source, (name for entry in accepted for name in entry.example.names or ()))
    stored = {entry.candidate.path: entry.stored for entry in read if isinstance(entry, _Read)}
    if aim.is_trigger:
        candidates_found = candidates_found.noting(*hours_without([entry.example for entry in accepted], stored))
    else:
        _refuse_too_few_classes(source, accepted, kind.words, candidates_found.warnings)
    decoding = kind.decoding_of_set(stored)
    told = _with_sentences(candidates_found, decoding, stored, origins)
    told = told if by_date is None else told.noting(*by_date.notes)
    report = build_report(
        params.source, told, accepted, kind.words, rejected=len(rejected), splitter=splitter, changes=changes,
        unused_corrections=len(corrections.keys() - {entry.example.digest for entry in offered}), by_date=by_date is not None,
    )  # fmt: skip
    manifest = build_manifest(
        (entry.example for entry in accepted), kind.name, decoding.setting, TRIGGER if aim.is_trigger else None
    )
    stated = {entry.candidate.path: entry.candidate.slices for entry in read if isinstance(entry, _Read)}
    return Ingested(manifest, tuple(rejected), changes, report, slices_of(manifest, params.slices, stated))


def _with_sentences(source: Source, decoding: SetDecoding, stored: Mapping[str, Stored], origins: Origins) -> Source:
    """The source with what only the content of its files shows."""
    unread = {path: file.unread for path, file in stored.items() if file.unread}
    warnings = [*source.warnings, *origins.warnings, *decoding.warnings]
    for part in sorted({*unread.values()}):
        paths = sorted(path for path, what in unread.items() if what == part)
        warnings.append(
            f"Files that are read without {part}: {len(paths)}, such as `{paths[0]}`. Save what you need as files of its own."
        )
    return replace(source, notes=(*source.notes, *origins.notes, *decoding.notes), warnings=tuple(warnings))


@dataclass(frozen=True)
class _Read:
    """A file that can be decoded: its digest (32 bytes), its size in bytes, the format and shape of its content, whom it says it is of, and of which day."""

    candidate: Candidate
    digest: bytes
    size: int
    stored: Stored
    origin: str | None = field(repr=False)
    date: str | None = field(repr=False)


def _read_all(
    read: Callable[[Candidate], _Read | Rejected], candidates: Iterable[Candidate], workers: int, progress: Progress
) -> list[_Read | Rejected]:
    """Read files by threads (hashing and decoding run outside Python's lock), a few at a time, in order."""
    files = tuple(candidates)
    results: list[_Read | Rejected] = []
    for _, result in map_ahead(read, files, workers=workers, depth=workers * _IN_FLIGHT):
        results.append(result)
        progress(len(results), len(files))
    return results


def _read(kind: Kind, places: Places, limits: Limits, dated: bool, candidate: Candidate) -> _Read | Rejected:
    try:
        content = read_within(places.at(candidate.path), lambda size: kind.refuse_size(size, limits))
        origin = kind.origin(content) if isinstance(kind, Attributing) else None
        date = kind.date(content) if dated and isinstance(kind, Dating) else None
        return _Read(candidate, digest_bytes(content), len(content), kind.inspect(content, limits), origin, date)
    except BadExample as error:
        return Rejected(candidate.path, str(error))
    except OSError as error:
        return Rejected(candidate.path, f"cannot be opened ({error.strerror})")


def _dates_of(read: Sequence[_Read], origins: Origins, params: DatasetParams) -> DateOrder:
    """The splits by date.

    Raises:
        BadSource: the files state fewer than two dates.
    """

    def key(entry: _Read) -> bytes:
        group = entry.candidate.group or origins.of.get(entry.candidate.path)
        return entry.digest if group is None else group.encode()

    return order_by_date({entry.candidate.path: Dated(key(entry), entry.date) for entry in read}, params.splits)


def _accept(kind: Kind, read: _Read, splitter: Splitter, origins: Origins, by_date: DateOrder | None) -> Accepted:
    asked = read.candidate
    deciding = asked.group or origins.of.get(asked.path)
    hashed = splitter.split(named=asked.split, digest=read.digest, group=deciding)
    example = Example(
        digest=read.digest,
        path=asked.path,
        label=asked.label,
        split=hashed if by_date is None else by_date.of[asked.path],
        group=asked.group or origins.group(asked.path),
        shape=read.stored.shape,
        size=read.size,
        labels=asked.labels,
    )
    # A piece is a file of its own, and has no ending.
    fits = piece_in(asked.path) is not None or kind.fits_ending(read.stored.format, PurePosixPath(asked.path).suffix)
    return Accepted(example, read.stored.format, fits)


def _correct(
    offered: Sequence[Accepted], corrections: Corrections, aim: Aim
) -> tuple[list[Accepted], tuple[Change, ...]]:
    """The examples with their corrected labels, and the effects of corrections, sorted by path."""
    accepted, changes = [], []
    corrected = correct_set if any(row.example.labels is not None for row in offered) else correct
    for row in offered:
        before, after = row.example, corrected(row.example, corrections)
        if after is not None:
            after = corrected_to(after, aim)
            accepted.append(replace(row, example=after))
        if after is None or after.names != before.names:
            changes.append(Change(before.path, _shown(before.names), None if after is None else _shown(after.names)))
    return accepted, tuple(sorted(changes, key=lambda change: change.path))


def _shown(names: tuple[str, ...] | None) -> str | None:
    return None if names is None else join_labels(names)


def _refuse_too_many(source: Path, rejected: list[Rejected], most: int) -> None:
    if len(rejected) <= most:
        return
    first = "; ".join(f"`{file.path}` {file.reason}" for file in rejected[:_SHOWN])
    more = f"; and {len(rejected) - _SHOWN} more" if len(rejected) > _SHOWN else ""
    raise TooManyRejected(
        f"{len(rejected)} files of `{source}` cannot be used, and `dataset.max_rejected` allows {most}: "
        f"{first}{more}. "
        "Mend or remove them, or raise `dataset.max_rejected`",
        tuple((file.path, file.reason) for file in rejected),
    )


def refuse_other_kind(places: Places, rejected: Sequence[str], read: int, kind: Kind, limits: Limits) -> None:
    """Refuse a source without a file of this kind, whose first few files are of another kind.

    Raises:
        BadSource: all files that were read are rejected, and the first few are of another kind.
    """
    if not rejected or len(rejected) < read:
        return
    for name in reversed(
        kind_names()
    ):  # kinds of other packages first, because almost any file of theirs may pass for a text
        other = kind_named(name)
        if name != kind.name and all(is_of_kind(other, places.at(path), limits) for path in rejected[:_SHOWN]):
            raise BadSource(
                f"`{places.source}` holds {other.words.many}, and the backbone takes {kind.words.many}; set backbone.weights to a backbone that takes "
                f"{other.words.many}, or dataset.source to a folder of {kind.words.many}"
            )


def is_of_kind(kind: Kind, place: Place, limits: Limits) -> bool:
    """Whether a file can be read as an example of the kind."""
    try:
        content = read_within(place, lambda size: kind.refuse_size(size, limits))
        kind.inspect(content, limits)
    except (BadExample, BadParameters, OSError):  # a package that reads that kind may not be installed
        return False
    return misplaced(content[:HEAD_BYTES]) is None


def _refuse_too_few_classes(source: Path, accepted: list[Accepted], words: Words, warnings: Sequence[str]) -> None:
    names = sorted({name for row in accepted for name in row.example.names or ()})
    if len(names) >= 2:
        return
    more = "".join(f". {warning.removesuffix('.')}" for warning in warnings)
    if not names:
        raise BadSource(
            f"`{source}` has no labelled {words.many}; put those of each class into a folder with its name{more}"
        )
    raise BadSource(
        f"`{source}` has {words.many} of one class only, `{names[0]}`, and a classifier needs two; "
        f"if the classes are folders inside `{names[0]}`, set `dataset.source` to that folder{more}"
    )
