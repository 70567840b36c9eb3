"""The page of the findings: examples with a choice of labels beside each, and a button that saves the choices as CSV. The page needs no server."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

from thaw.dataset.corrections import LEAVE_OUT
from thaw.foundation.files.display_names import in_sentence
from thaw.kinds.kind import Preview, Words
from thaw.pages.layout import render
from thaw.review.findings import COLUMNS, KINDS, Finding, Kind
from thaw.targets.target import Target

TITLES: Mapping[Kind, str] = {
    "suspect": "Labels that look wrong",
    "duplicate": "Near-copies across splits",
    "unlabelled": "Worth a label next",
}
MEANINGS: Mapping[Kind, str] = {
    "suspect": "{suspected} The probability stands "
    "beside each class, and the least likely labels come first. If a label is right, choose it; it is not listed again.",
    "duplicate": "Two {many} of different splits that are alike. A test on {many} of the training shows nothing. Leave one of the two out, the training "
    "one if their labels agree. If they are different {many} after all, leave both as they are.",
    "unlabelled": "The model is unsure of these {many}, and they differ from each other, so their labels teach it the most. Only {many} of the training "
    "split are listed; a choice of hard {many} for the test would bias its result.",
}
NONE: Mapping[Kind, str] = {
    "suspect": "No label looks wrong.",
    "duplicate": "No two {many} of different splits are near-copies.",
    "unlabelled": "Every training {one} has a label.",
}


@dataclass(frozen=True)
class Section:
    """The shown findings of one kind, each of one example or a pair; `total` is the number of all findings of the kind."""

    kind: Kind
    total: int
    cards: tuple[tuple[Finding, ...], ...]


def build_sections(findings: Sequence[Finding], counts: Mapping[Kind, int]) -> tuple[Section, ...]:
    """The findings by kind, the examples of a pair together. counts: the number of all findings of each kind, shown or not."""
    sections = []
    for kind in KINDS:
        own = [finding for finding in findings if finding.kind == kind]
        ranks = dict.fromkeys(finding.rank for finding in own)
        cards = tuple(tuple(finding for finding in own if finding.rank == rank) for rank in ranks)
        sections.append(Section(kind, counts[kind], cards))
    return tuple(sections)


def render_page(
    title: str,
    sections: Sequence[Section],
    class_names: Sequence[str],
    previews: Mapping[str, Preview],
    *,
    words: Words,
    target: Target,
) -> str:
    """The page as HTML. previews: by digest in hex; an example may have none. words: of the kind. target: of the labels.

    Names of classes and files may hold any characters; the template escapes them.
    """
    spoken = {"many": words.many, "one": words.one, "suspected": target.suspected.format(many=words.many)}
    values = {
        "title": title,
        "verdict": verdict(sections, words),
        "sections": sections,
        "titles": TITLES,
        "meanings": {kind: text.format(**spoken) for kind, text in MEANINGS.items()},
        "nothing": {kind: text.format(many=words.many, one=words.one) for kind, text in NONE.items()},
        "share": share,
        "label_text": lambda label: label_text(label, target),
        "separator": target.separator,
        "cells": cells,
        "columns": COLUMNS,
        "options": [(name, in_sentence(name)) for name in class_names],
        "leave_out": LEAVE_OUT,
        "previews": previews,
        "words": words,
    }
    return render("review/page.html.j2", values)


def verdict(sections: Sequence[Section], words: Words) -> str:
    """The first sentence of the page: the number of findings of each kind."""
    counts = {section.kind: section.total for section in sections}
    if not any(counts.values()):
        return f"There is nothing to review: no label looks wrong, no near-copies lie across splits, and every training {words.one} has a label."
    parts = (
        _counted(counts["suspect"], "label looks", "labels look", "wrong"),
        _counted(counts["duplicate"], "pair of near-copies lies", "pairs of near-copies lie", "across splits"),
        _counted(counts["unlabelled"], f"{words.one} has", f"{words.many} have", "no label yet"),
    )
    return f"{'; '.join(parts)}."


def _counted(count: int, single: str, several: str, rest: str) -> str:
    return f"{count or 'no'} {single if count == 1 else several} {rest}"


def label_text(label: str, target: Target) -> str:
    """A label in words: the names of a set with commas between them, or `nothing` for the empty set."""
    return ", ".join(map(in_sentence, target.parsed(label))) or "nothing"


def share(value: float) -> str:
    """A share as text: 0.034 as `3 %`; a share between 0 and 1 never reads as 0 % or 100 %."""
    percent = round(100 * value)
    text = "under 1" if percent == 0 and value > 0 else "over 99" if percent == 100 and value < 1 else str(percent)
    return f"{text}\u202f%"


def cells(finding: Finding) -> list[object]:
    """The cells of a finding's row in the table, without the last column."""
    return ["" if value is None else value for value in astuple(finding)]
