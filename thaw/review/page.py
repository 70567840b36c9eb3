"""The page of the findings: examples with a choice of labels beside each, and a button that saves the choices as CSV. It needs no server."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

from thaw.dataset.corrections import LEAVE_OUT
from thaw.dataset.label_sets import SEPARATOR
from thaw.foundation.files.display_names import shown
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
    "suspect": "The features of these say another class than their label, by heads that never saw the label. Beside each class stands how likely it "
    "is; the least likely labels come first. Where a label is right, choose it: it is not asked about again.",
    "duplicate": "Two {many} of different splits that are alike. A test on what was trained on shows nothing: leave one of the two out, the training one "
    "where they agree. Where they are two of their own, leave both as they are.",
    "unlabelled": "The model is unsure of these, and they differ from each other: labels of them teach it the most. Only {many} of the training split "
    "are listed; a test that was picked by what the model finds hard would measure nothing.",
}
NONE: Mapping[Kind, str] = {
    "suspect": "No label looks wrong.",
    "duplicate": "No two {many} of different splits are near-copies.",
    "unlabelled": "Every training {one} has a label.",
}


@dataclass(frozen=True)
class Section:
    """The findings of one kind that are shown, each one example or a pair; `found` counts all of them."""

    kind: Kind
    found: int
    cards: tuple[tuple[Finding, ...], ...]


def build_sections(findings: Sequence[Finding], found: Mapping[Kind, int]) -> tuple[Section, ...]:
    """The findings by kind, the examples of a pair together. found: how many there are of each kind, shown or not."""
    sections = []
    for kind in KINDS:
        own = [one for one in findings if one.kind == kind]
        ranks = dict.fromkeys(one.rank for one in own)
        cards = tuple(tuple(one for one in own if one.rank == rank) for rank in ranks)
        sections.append(Section(kind, found[kind], cards))
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
    """The page as HTML. previews: by digest in hex; examples without one are shown without. words: how examples are called. target: what a label is.

    Names of classes and files may hold anything: the template escapes all of them.
    """
    values = {
        "title": title,
        "verdict": verdict(sections, words),
        "sections": sections,
        "titles": TITLES,
        "meanings": {kind: text.format(many=words.many, one=words.one) for kind, text in MEANINGS.items()},
        "nothing": {kind: text.format(many=words.many, one=words.one) for kind, text in NONE.items()},
        "share": share,
        "told": lambda label: told(label, target),
        "separator": "" if target.exclusive else SEPARATOR,
        "cells": cells,
        "columns": COLUMNS,
        "options": [(name, shown(name)) for name in class_names],
        "leave_out": LEAVE_OUT,
        "previews": previews,
        "words": words,
    }
    return render("review/page.html.j2", values)


def verdict(sections: Sequence[Section], words: Words) -> str:
    """The first sentence: how much there is to look at."""
    found = {section.kind: section.found for section in sections}
    if not any(found.values()):
        return f"Nothing to review: no label looks wrong, no near-copies lie across splits, and every training {words.one} has a label."
    said = (
        _counted(found["suspect"], "label looks", "labels look", "wrong"),
        _counted(found["duplicate"], "pair of near-copies lies", "pairs of near-copies lie", "across splits"),
        _counted(found["unlabelled"], f"{words.one} has", f"{words.many} have", "no label yet"),
    )
    return f"{'; '.join(said)}."


def _counted(count: int, one: str, more: str, rest: str) -> str:
    return f"{count or 'no'} {one if count == 1 else more} {rest}"


def told(label: str, target: Target) -> str:
    """A label as people read it: the names of a set with commas between them, `nothing` for a set of none."""
    return ", ".join(map(shown, target.parsed(label))) or "nothing"


def share(value: float) -> str:
    """0.034 as `3 %`; what is not quite 0 or 1 stays apart from it."""
    percent = round(100 * value)
    text = "under 1" if percent == 0 and value > 0 else "over 99" if percent == 100 and value < 1 else str(percent)
    return f"{text}\u202f%"


def cells(finding: Finding) -> list[object]:
    """What stands in the table's row for a finding, without the last column."""
    return ["" if value is None else value for value in astuple(finding)]
