"""The request `thaw review`: findings go to a table and a page, and a corrected table goes into the corrections. It is no stage; a person asks for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from tasks.project.paths import FEATURES, FEATURES_INDEX, FINETUNED, MANIFEST, STRATEGY
from tasks.requests.heard_review import excerpt_of, heard_judge
from thaw.dataset.corrections import (
    CORRECTIONS,
    LEAVE_OUT,
    Correction,
    Corrections,
    merge,
    read_corrections,
    write_corrections,
)
from thaw.dataset.groups import group_numbers
from thaw.dataset.manifest import Example, read_manifest
from thaw.dataset.places import places_of, references_of
from thaw.features.store.store import FeatureStore, Layer, read_index
from thaw.finetuning.result import read_finetuned
from thaw.foundation.files.atomic import write_text
from thaw.foundation.parallel.progress import Progress, untold
from thaw.kinds.kind import Kind as ExampleKind
from thaw.kinds.kind import Preprocessing, Preview
from thaw.kinds.plain import plain_features
from thaw.kinds.prepared import preview_of, read_examples
from thaw.params.sections import Params
from thaw.params.values.kind import shown_as_read
from thaw.params.values.reading import read_params
from thaw.params.values.strategy import PLAIN, read_strategy
from thaw.review.findings import Finding, Kind, read_decisions, write_findings
from thaw.review.listing import HeadJudge, Judge, Rows, list_duplicates, list_suspects, list_useful
from thaw.review.page import build_sections, render_page
from thaw.review.selection import labelled_contents, unlabelled_contents
from thaw.targets.supports import supports
from thaw.targets.target import Target, target_of

REVIEW = Path("data/review")
TABLE = REVIEW / "review.csv"
PAGE = REVIEW / "review.html"


@dataclass(frozen=True)
class Reviewed:
    """The result of a review: the number of findings of each kind, the number that is listed, and the paths of the page and the table."""

    totals: Mapping[Kind, int]
    listed: Mapping[Kind, int]
    page: Path
    table: Path


@dataclass(frozen=True)
class Applied:
    """New or changed corrections, sorted by path, and the file that keeps them."""

    changes: tuple["Decided", ...]
    file: Path


@dataclass(frozen=True)
class Decided:
    """A person's decision on an example: its path, its label in the manifest ("" for none), and the right label."""

    path: str
    before: str
    after: str


def review(limit: int, progress: Progress = untold) -> Reviewed:
    """Review every label and every feature, and write `data/review/`.

    Args:
        limit: the most findings of each kind that are listed.
        progress: counts the examples in the search for near-copies, which takes the longest.

    Raises:
        BadManifest: fewer than two classes have labels, or a trigger is heard in recordings of fewer than two groups.
        BadArtifact: the manifest or the features are missing or incomplete.
    """
    params, manifest = read_params(), read_manifest(MANIFEST)
    target = target_of(manifest)
    corrections, store = read_corrections(CORRECTIONS), FeatureStore(FEATURES)
    layer = _layer(target)
    labelled = labelled_contents(manifest)
    unlabelled = [example for example in unlabelled_contents(manifest) if example.digest not in corrections]
    rows, others, plain = _read(store, layer, labelled), _read(store, layer, unlabelled), _plain()
    if supports(target, "sequences"):
        judge: Judge = heard_judge(labelled, params, target)
    else:
        judged = rows if plain is None else replace(rows, features=_plain_features(labelled, plain, params))
        judge = HeadJudge(judged, params.head, target)
    suspects, head = list_suspects(labelled, corrections.keys(), judge, target)
    duplicates = list_duplicates(rows, progress)
    seen = None if plain is None or not unlabelled else _plain_features(unlabelled, plain, params)
    useful = [] if head is None else list_useful(others, head, limit, seen)
    counts: dict[Kind, int] = {
        "suspect": len(suspects), "duplicate": len(duplicates) // 2, "unlabelled": len(unlabelled)
    }  # fmt: skip
    findings = [*suspects[:limit], *duplicates[: 2 * limit], *useful]
    listed: dict[Kind, int] = {
        "suspect": min(limit, len(suspects)), "duplicate": min(limit, len(duplicates) // 2), "unlabelled": len(useful)
    }  # fmt: skip
    examples = shown_as_read(manifest.settled_kind, params.backbone)
    previews = _previews(findings, [*labelled, *unlabelled], params, examples)
    classes = sorted({*manifest.class_names, *_decided_names(corrections, target)})
    sections = build_sections(findings, counts)
    page = render_page(params.registry.name, sections, classes, previews, words=examples.words, target=target)
    write_findings(findings, TABLE)
    write_text(PAGE, page)
    return Reviewed(counts, listed, PAGE, TABLE)


def apply(file: Path, *, new_classes: Sequence[str], dry_run: bool) -> Applied:
    """Add the decisions of a corrected table to `data/corrections.csv`, unless it is a dry run.

    Raises:
        BadTable: see `thaw.review.findings.read_decisions`.
        BadArtifact: there is no manifest.
    """
    manifest, corrections = read_manifest(MANIFEST), read_corrections(CORRECTIONS)
    examples, target = manifest.examples(), target_of(manifest)
    known = {digest: entry.path for digest, entry in corrections.items()} | {
        entry.digest: entry.path for entry in examples
    }
    names = sorted({*_decided_names(corrections, target), *manifest.class_names})
    decisions = read_decisions(file, known, names, new_classes, target)
    fresh = [
        entry
        for entry in decisions
        if entry.digest not in corrections or corrections[entry.digest].label != entry.label
    ]
    if fresh and not dry_run:
        write_corrections(merge(corrections, fresh), CORRECTIONS)
    labels = {entry.digest: entry.written for entry in examples}
    return Applied(tuple(_decided(entry, labels) for entry in sorted(fresh, key=lambda entry: entry.path)), CORRECTIONS)


def _decided(correction: Correction, labels: Mapping[bytes, str]) -> Decided:
    before = labels.get(correction.digest, LEAVE_OUT)
    return Decided(correction.path, before, LEAVE_OUT if correction.label is None else correction.label)


def _decided_names(corrections: Corrections, target: Target) -> set[str]:
    """The classes that a person has named."""
    return {
        name
        for correction in corrections.values()
        if correction.label is not None
        for name in target.parsed(correction.label)
    }


def _layer(target: Target) -> Layer:
    """The layer below the head; the last layer if there is no advice yet, or if a trigger is heard."""
    name = read_strategy(STRATEGY).layer if STRATEGY.exists() and not supports(target, "sequences") else None
    return read_index(FEATURES_INDEX).layer(name)


def _plain() -> Preprocessing | None:
    """The preparation of the model without a backbone, by whose features labels are then judged; None: the strategy is another."""
    if not STRATEGY.exists() or read_strategy(STRATEGY).kind != PLAIN:
        return None
    model = read_finetuned(FINETUNED)
    return None if model is None else model.backbone.preprocessing


def _plain_features(examples: Sequence[Example], preprocessing: Preprocessing, params: Params) -> torch.Tensor:
    references = references_of(examples, places_of(params.dataset))
    return plain_features(read_examples(references, preprocessing, params.dataset.limits), preprocessing)


def _read(store: FeatureStore, layer: Layer, examples: Sequence[Example]) -> Rows:
    if not examples:
        return Rows((), torch.empty(0, layer.dim))
    features = store.read(layer.fingerprint, layer.name, [example.digest for example in examples])
    return Rows(tuple(examples), features, group_numbers(examples))


def _previews(
    findings: Sequence[Finding], examples: Sequence[Example], params: Params, kind: ExampleKind
) -> dict[str, Preview]:
    by_digest = {entry.digest.hex(): entry for entry in examples}
    places, limits = places_of(params.dataset), params.dataset.limits
    moments = {entry.digest: entry.at_s for entry in findings if entry.at_s is not None}

    def preview(digest: str) -> Preview:
        place = places.at(by_digest[digest].path)
        around = excerpt_of(place, moments[digest], kind) if digest in moments else None
        return around or preview_of((by_digest[digest].digest, place), kind, limits)

    return {digest: preview(digest) for digest in dict.fromkeys(entry.digest for entry in findings)}
