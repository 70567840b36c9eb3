"""The report on a source: classes, splits, copies, formats, and notes in plain words."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from thaw.dataset.candidates import Source
from thaw.dataset.corrections import Change
from thaw.dataset.label_sets import join_labels
from thaw.dataset.manifest import SPLITS, TEST, TRAIN, VAL, Example
from thaw.dataset.splits import Splitter
from thaw.kinds.kind import Words

IMBALANCE = 10
"""The ratio of the largest class to the smallest, in training examples, above which the report has a note."""
_LISTED_COPIES = 200


@dataclass(frozen=True)
class Accepted:
    """An example, its format ("JPEG"), and whether its ending fits the format."""

    example: Example
    kind: str
    ending_fits: bool


@dataclass(frozen=True)
class Copies:
    """Files with the same bytes. labels (sets as `ant|bee`) and splits: of these files, each once, sorted."""

    paths: tuple[str, ...]
    labels: tuple[str, ...]
    splits: tuple[str, ...]

    @property
    def across(self) -> bool:
        """Whether the files lie in more than one split."""
        return len(self.splits) > 1

    @property
    def conflicting(self) -> bool:
        """Whether the files have more than one label."""
        return len(self.labels) > 1


@dataclass(frozen=True)
class IngestReport:
    """The report of one ingestion. It holds no times: the same source gives the same report.

    `classes` maps each class to its number of labelled examples by split. `split_by` is "source", "hash" or "date". The counts of copies are of sets of equal
    files; `copies` lists the first 200. `relabelled` and `left_out` count the files whose label a correction changed, and those that a correction left out.
    `unused_corrections` counts corrections of examples that the source lacks.
    """

    source: str
    examples: int
    unlabelled: int
    rejected: int
    size: int
    split_by: str
    splits: Mapping[str, int]
    classes: Mapping[str, Mapping[str, int]]
    kinds: Mapping[str, int]
    wrong_endings: int
    copies_within: int
    copies_across: int
    copies_conflicting: int
    copies: tuple[Copies, ...]
    notes: tuple[str, ...]
    relabelled: int = 0
    left_out: int = 0
    unused_corrections: int = 0

    def to_json(self) -> str:
        """The report as indented JSON, keys in the order of the fields."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def build_report(
    name: str,
    source: Source,
    accepted: Sequence[Accepted],
    words: Words,
    *,
    rejected: int,
    splitter: Splitter,
    changes: Sequence[Change] = (),
    unused_corrections: int = 0,
    by_date: bool = False,
) -> IngestReport:
    """Count and compare the examples.

    Args:
        name: the source's name in the parameters.
        source: the candidates, before any file was opened.
        accepted: the usable examples, in any order.
        words: how sentences call the examples.
        rejected: the number of other files.
        splitter: the rule that gave the examples their splits.
        changes: the effects of corrections on them.
        unused_corrections: the number of corrections of examples that the source lacks.
        by_date: whether dates gave the splits, in the place of the hash.
    """
    rows = sorted(accepted, key=lambda row: row.example.path)
    examples = [row.example for row in rows]
    copies = find_copies(examples)
    counted = IngestReport(
        source=name,
        examples=len(rows),
        unlabelled=sum(example.names is None for example in examples),
        rejected=rejected,
        size=sum(example.size for example in examples),
        split_by="source" if splitter.own else "date" if by_date else "hash",
        splits={split: sum(example.split == split for example in examples) for split in SPLITS},
        classes=_classes(examples),
        kinds=dict(sorted(Counter(row.kind for row in rows).items())),
        wrong_endings=sum(not row.ending_fits for row in rows),
        copies_within=sum(not same.across for same in copies),
        copies_across=sum(same.across for same in copies),
        copies_conflicting=sum(same.conflicting for same in copies),
        copies=tuple(copies[:_LISTED_COPIES]),
        notes=(),
        relabelled=sum(change.after is not None for change in changes),
        left_out=sum(change.after is None for change in changes),
        unused_corrections=unused_corrections,
    )
    notes = [
        *_notes_on_splits(source, splitter, by_date),
        *_notes_on_groups(examples),
        *_notes_on_classes(counted),
        *_notes_on_files(counted, words),
    ]
    return IngestReport(**{**vars(counted), "notes": (*source.warnings, *source.notes, *notes)})


def find_copies(examples: Sequence[Example]) -> list[Copies]:
    """Every set of examples with the same bytes, sorted by their first path."""
    same: dict[bytes, list[Example]] = defaultdict(list)
    for example in examples:
        same[example.digest].append(example)
    sets = [
        Copies(
            paths=tuple(sorted(copy.path for copy in copies)),
            labels=tuple(sorted({join_labels(copy.names) for copy in copies if copy.names is not None})),
            splits=tuple(split for split in SPLITS if any(copy.split == split for copy in copies)),
        )
        for copies in same.values()
        if len(copies) > 1
    ]
    return sorted(sets, key=lambda copies: copies.paths)


def _classes(examples: Sequence[Example]) -> dict[str, dict[str, int]]:
    counts = Counter((name, example.split) for example in examples for name in example.names or ())
    labels = sorted({label for label, _ in counts})
    return {label: {split: counts[label, split] for split in SPLITS} for label in labels}


def _notes_on_splits(source: Source, splitter: Splitter, by_date: bool) -> list[str]:
    named = Counter(candidate.split for candidate in source.candidates if candidate.names is not None)
    notes = []
    if splitter.val_is_test:
        notes.append(
            "The source has train and val only: val is reported as the test, "
            "and every choice is cross-validated on train."
        )
    if splitter.own and named[None]:
        notes.append(
            f"Labelled files without a split, beside others that have one: {named[None]}. They are used for training."
        )
    if not splitter.own and named[TRAIN]:
        notes.append(
            f"The source names no split but train: val and test are drawn from it by {'date' if by_date else 'a hash'}."
        )
    return notes


def _notes_on_groups(examples: Sequence[Example]) -> list[str]:
    splits: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        if example.group is not None:
            splits[example.group].add(example.split)
    spread = sorted(group for group, splits_of_group in splits.items() if len(splits_of_group) > 1)
    if not spread:
        return []
    return [
        f"Groups in more than one split of the source: {len(spread)} ({_first(spread)}). "
        "The test may look better than it is; leave the splits out and they are drawn by group."
    ]


def _notes_on_classes(report: IngestReport) -> list[str]:
    train = {label: counts[TRAIN] for label, counts in report.classes.items()}
    notes = []
    if missing := [label for label, count in train.items() if not count]:
        notes.append(f"No training example of {_first(missing)}.")
    if report.splits[TEST] == 0:
        notes.append("No example is in the test: there are too few of them, or `dataset.splits.test` is 0.")
    for split in (VAL, TEST):
        unseen = [label for label, counts in report.classes.items() if not counts[split]]
        if report.splits[split] and unseen:
            notes.append(f"No {'validation' if split == VAL else 'test'} example of {_first(unseen)}.")
    largest, smallest = max(train, key=train.__getitem__), min(train, key=train.__getitem__)
    if train[smallest] and train[largest] > IMBALANCE * train[smallest]:
        ratio = train[largest] / train[smallest]
        notes.append(
            f"The classes are out of balance: {train[largest]} training examples of `{largest}`, "
            f"{train[smallest]} of `{smallest}` ({ratio:.0f} to 1); keep `head.class_weights: balanced`, "
            "and read the macro F1 rather than the accuracy."
        )
    return notes


def _notes_on_files(report: IngestReport, words: Words) -> list[str]:
    counts = {
        "Labels that data/corrections.csv changed: {}. Each is listed with what the source says.": report.relabelled,
        f"{words.many.capitalize()} that data/corrections.csv leaves out: {{}}.": report.left_out,
        f"Corrections of {words.many} that the source does not hold: {{}}. They do nothing.": report.unused_corrections,
        "Rejected files: {}. Each is listed with its reason.": report.rejected,
        f"Unlabelled {words.many}: {{}}. They are neither trained nor tested on.": report.unlabelled,
        f"{words.many.capitalize()} whose ending does not fit: {{}}. They are read by their content.": report.wrong_endings,
        f"Sets of equal files within one split: {{}}. Each {words.one} is trained on once.": report.copies_within,
        "Sets of equal files across splits: {}. None of them is trained on.": report.copies_across,
        "Sets of equal files with several labels: {}. None of them is trained on.": report.copies_conflicting,
    }
    return [sentence.format(count) for sentence, count in counts.items() if count]


def _first(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
