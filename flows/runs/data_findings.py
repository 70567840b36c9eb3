"""The checks of the data before a run: the source's place, its layout or listing, its splits, and a few of its files."""

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ruamel.yaml import YAML

from flows.daemon.source_state import look
from flows.dvc.stage_graph import PIPELINE
from flows.runs.findings import Finding, Verdict, unless_unchanged
from flows.runs.promotion_findings import check_margin, wrong_share
from thaw.dataset.corrections import CORRECTIONS, read_corrections
from thaw.foundation.errors import BadExample, ThawError
from thaw.foundation.files.content import HEAD_BYTES, misplaced
from thaw.foundation.files.state import state_of
from thaw.foundation.files.walking import unhashable
from thaw.kinds.stated import settle_kind
from thaw.params.sections import Params
from thaw.params.values.kind import kind_of
from thaw.params.values.places import BUILTIN_SOURCES, laid

if TYPE_CHECKING:
    from thaw.dataset.candidates import Source
    from thaw.dataset.places import Place
    from thaw.kinds.kind import Kind, Limits

_LISTED_AT_MOST = 5
_OPENED = 12
"""Files that are decoded, to see whether the source holds examples at all."""
_TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
_ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".7z", ".rar")


def check_source(root: Path, params: Params, *, used: bool = True) -> Finding:
    """Check that the source exists or can be made, is apart from the project's own files (where the pipeline reads it), and can be hashed by DVC."""
    name = params.dataset.source
    source = root / name
    if not source.exists():
        return _missing(root, name)
    if not source.is_dir() and not _is_table_of_examples(root, source, params):
        return _source_fails(f"{name} is a file, not a folder", _advice_for_file(source))
    if used and (own := _what_is_our_own(root, source)) is not None:
        return _source_fails(
            f"{name} {own}",
            "put the examples into a folder of their own, such as `photos/`, and set dataset.source to it",
        )
    bad = unhashable(source) if source.is_dir() else []
    if bad:
        listed = ", ".join(f"{file.path} {file.reason}" for file in bad[:_LISTED_AT_MOST])
        more = f" and {len(bad) - _LISTED_AT_MOST} more" if len(bad) > _LISTED_AT_MOST else ""
        return _source_fails(f"in {name}: {listed}{more}", "remove these: DVC cannot hash them")
    return Finding("data source", Verdict.PASS, f"{name} exists, and DVC can hash it")


def _is_table_of_examples(root: Path, source: Path, params: Params) -> bool:
    """Whether a file is a table, and the project's kind takes the rows of tables."""
    try:
        return (
            source.suffix.lower() in _TABLES
            and settle_kind(params.dataset.kind, laid(root / params.backbone.weights)).takes_rows
        )
    except ThawError:  # told by another check
        return False


def _source_fails(says: str, advice: str) -> Finding:
    return Finding("data source", Verdict.FAIL, says, advice)


def _missing(root: Path, name: str) -> Finding:
    from thaw.dataset.builtin import BUILTIN, DOWNLOADS

    if BUILTIN_SOURCES in Path(name).parents:
        known = Path(name).relative_to(BUILTIN_SOURCES).parts[0]
        if known in DOWNLOADS:
            return Finding(
                "data source", Verdict.PASS, f"{name} is built in; the first run downloads {DOWNLOADS[known]}"
            )
        if known in BUILTIN:
            return Finding("data source", Verdict.PASS, f"{name} is built in; the first run makes it")
        return _source_fails(
            f"{name} does not exist, and no built-in set has that name", f"the built-in sets are {', '.join(BUILTIN)}"
        )
    if "://" in name:
        return _source_fails(f"{name} is an address", "download it, and set dataset.source to the folder")
    near = nearest(root / name)
    return _source_fails(
        f"{name} does not exist" + (f", and {near} beside it does" if near else ""),
        "set dataset.source to your folder of examples",
    )


def nearest(path: Path) -> str | None:
    """The name beside a missing path that is most like its own."""
    try:
        names = {entry.name.casefold(): entry.name for entry in path.parent.iterdir() if not entry.name.startswith(".")}
    except OSError:
        return None
    found = difflib.get_close_matches(path.name.casefold(), names, n=1, cutoff=0.7)
    return names[found[0]] if found else None


def _advice_for_file(source: Path) -> str:
    if source.suffix.lower() in _TABLES:
        return (
            "set dataset.source to the folder of the files, and dataset.listing to the table, by its path inside that folder; if its rows are texts, set "
            "backbone.weights to a network that takes texts"
        )
    if source.suffix.lower() in _ARCHIVES:
        return "unpack it, and set dataset.source to the folder"
    return "set dataset.source to a folder of examples"


def _what_is_our_own(root: Path, source: Path) -> str | None:
    """Why the source is no folder of examples but the project's own, as the end of a sentence."""
    whole, place = root.resolve(), source.resolve()
    if place == whole:
        return "is the project itself"
    if place in whole.parents:
        return "holds the project itself"
    for out in _outputs(root):
        written = (whole / out).resolve()
        if written == (whole / BUILTIN_SOURCES).resolve() and written in place.parents:
            continue
        if place == written or written in place.parents or place in written.parents:
            return f"is a folder that the pipeline itself writes to ({out})"
    return None


def _outputs(root: Path) -> Iterator[str]:
    """The paths that stages write, as `dvc.yaml` names them."""
    document = YAML(typ="safe").load((root / PIPELINE).read_text(encoding="utf-8"))
    stages = document.get("stages") if isinstance(document, dict) else None
    for stage in stages.values() if isinstance(stages, dict) else ():
        for out in (stage or {}).get("outs") or ():
            yield from out if isinstance(out, dict) else (str(out),)


def check_examples(root: Path, params: Params) -> tuple[Finding, ...]:
    """Check the layout or the listing, the splits and a few files; nothing is looked at again until the source changes."""
    if not (root / params.dataset.source).exists():
        return (Finding("examples", Verdict.PASS, "not checked: the source does not exist yet"),)
    state = [
        params.dataset.model_dump(mode="json"),
        params.trigger.words,
        look(root, params),
        [state_of(root / name) for name in (CORRECTIONS, params.backbone.weights)],
        [params.promotion.model_dump(mode="json"), params.statistics.confidence, wrong := wrong_share(root)],
    ]
    return unless_unchanged(root, "examples", state, lambda: tuple(_find(root, params, wrong)))


def _find(root: Path, params: Params, wrong: float) -> Iterator[Finding]:
    from thaw.dataset.finding_columns import findings_of
    from thaw.dataset.sources import source_of_kind
    from thaw.dataset.triggers import Aim, aimed

    dataset = params.dataset
    try:
        kind = settle_kind(dataset.kind, laid(root / params.backbone.weights))
        source = source_of_kind(
            kind,
            root / dataset.source,
            dataset.listing,
            dataset.encoding,
            findings=findings_of(dataset),
            slices=dataset.slices,
        )
        source = aimed(source, Aim(dataset.target, params.trigger.words), kind)
    except ThawError as error:
        yield _fails(str(error))
        return
    problems = [*_rejected(source, params), *_classes(source, params), *_opened(root, source, params)]
    yield from problems or (*_foreseen(root, source, params), check_margin(params, _tested(source, params), wrong))


def _tested(source: "Source", params: Params) -> int:
    from thaw.dataset.foreseen import expected_test_rows

    return expected_test_rows(source, params.dataset.splits)


def _fails(says: str, advice: str = "", *, late: bool = False) -> Finding:
    return Finding("examples", Verdict.FAIL, says, advice, late)


def _rejected(source: "Source", params: Params) -> Iterator[Finding]:
    """Rows of a listing and files that are rejected before they are opened, where they are too many."""
    most, rejected = params.dataset.max_rejected, source.rejected
    if len(rejected) > most:
        shown = "; ".join(f"`{file.path}` {file.reason}" for file in rejected[:_LISTED_AT_MOST])
        more = f"; and {len(rejected) - _LISTED_AT_MOST} more" if len(rejected) > _LISTED_AT_MOST else ""
        where = "the listing" if params.dataset.listing else "the folders"
        yield _fails(
            f"{len(rejected)} files cannot be used, and dataset.max_rejected allows {most}: {shown}{more}",
            f"correct {where}, or raise dataset.max_rejected",
        )


def _classes(source: "Source", params: Params) -> Iterator[Finding]:
    labels = sorted({name for candidate in source.candidates for name in candidate.names or ()})
    if len(labels) >= 2 or params.trigger.words or not source.candidates:
        return
    files = len(source.candidates)
    given = f"there is only the class `{labels[0]}`" if labels else f"none of {files} files has a label"
    says = " ".join((f"{given}, and at least 2 classes are needed", *source.warnings))
    if params.dataset.listing:
        yield _fails(says, f"correct the labels in {params.dataset.listing}")
        return
    inside = f"; if the classes are folders inside `{labels[0]}`, set dataset.source to that folder" if labels else ""
    advice = "put the examples of each class into a folder of its own, or set dataset.listing to a table of labels"
    yield _fails(says, f"{advice}{inside}")


def _opened(root: Path, source: "Source", params: Params) -> Iterator[Finding]:
    """Decode a few files; if none of them is an example, the first reason is told."""
    from thaw.dataset.foreseen import spread_over
    from thaw.dataset.ingestion import refuse_other_kind
    from thaw.dataset.places import places_of

    places, limits = places_of(params.dataset, root), params.dataset.limits
    try:
        kind = kind_of(params, root)
    except ThawError:  # told by another check
        return
    chosen = spread_over(source.candidates, _OPENED)
    reasons = [_why_no_example(kind, places.at(candidate.path), limits) for candidate in chosen]
    if len(source.candidates) <= params.dataset.max_rejected or None in reasons:
        return
    try:
        refuse_other_kind(places, [candidate.path for candidate in chosen], len(chosen), kind, limits)
    except ThawError as error:
        yield _fails(str(error))
        return
    yield _fails(
        f"none of {len(reasons)} files that were opened is {kind.words.article}: `{chosen[0].path}` {reasons[0]}"
    )


def _why_no_example(kind: "Kind", place: "Place", limits: "Limits") -> str | None:
    """Why a file is no example, as the end of a sentence; None: it is one."""
    from thaw.dataset.places import read_within

    content = b""
    try:
        content = read_within(place, lambda size: kind.refuse_size(size, limits))
        kind.inspect(content, limits)
    except BadExample as error:
        return (misplaced(content[:HEAD_BYTES]) if content else None) or str(error)
    except OSError as error:
        return f"cannot be opened ({error.strerror})"
    return None


def _foreseen(root: Path, source: "Source", params: Params) -> Iterator[Finding]:
    """What the splits will lack."""
    from thaw.dataset.foreseen import foresee
    from thaw.dataset.places import places_of

    places, kind = places_of(params.dataset, root), kind_of(params, root)
    foreseen = foresee(source, places, params.dataset.splits, _corrected(root), kind=kind)
    labels = {name for candidate in source.candidates for name in candidate.names or ()}
    says = f"{len(source.candidates)} examples in {len(labels)} classes"
    untaught, untested = foreseen.why_untaught(), foreseen.why_untested()
    if untaught:
        yield _fails(f"{says}, and {untaught}")
    elif untested:
        yield _fails(f"{says}, and {untested}", late=True)
    elif source.warnings:
        yield Finding("examples", Verdict.WARN, " ".join((f"{says}.", *source.warnings)), "read this before you run")
    else:
        yield Finding("examples", Verdict.PASS, says)


def _corrected(root: Path) -> frozenset[str]:
    """Labels that people gave by corrections."""
    try:
        corrections: Sequence[str | None] = [each.label for each in read_corrections(root / CORRECTIONS).values()]
    except ThawError:  # told by another check
        return frozenset()
    return frozenset(name for label in corrections if label for name in (label, *label.split("|")))
