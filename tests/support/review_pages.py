"""Findings of every kind, with names that are out for harm."""

from evaluations import HOSTILE, NAMES, thumbnail

from thaw.kinds.images.kind import KIND
from thaw.review.findings import Finding
from thaw.review.page import build_sections, render_page
from thaw.targets.label_sets.target import LABEL_SETS
from thaw.targets.one_label.target import ONE_LABEL

SUSPECT = Finding("suspect", 1, "a" * 64, f"{HOSTILE}/1.png", "train", NAMES[0], HOSTILE, 0.99, 0.004)
FIRST = Finding(
    "duplicate", 1, "a" * 64, f"{HOSTILE}/1.png", "train", NAMES[0], "(remove)", None, 0.98, '2"\n.png', "test", "蜂"
)
SECOND = Finding(
    "duplicate", 1, "b" * 64, '2"\n.png', "test", "蜂", "", None, 0.98, f"{HOSTILE}/1.png", "train", NAMES[0]
)
UNLABELLED = Finding("unlabelled", 1, "c" * 64, "'3'.png", "train", "", "蜂", 0.41, 0.9)
FINDINGS = (SUSPECT, FIRST, SECOND, UNLABELLED)


def hostile_page() -> str:
    sections = build_sections(FINDINGS, {"suspect": 7, "duplicate": 1, "unlabelled": 1})
    return render_page(
        HOSTILE, sections, NAMES, {letter * 64: thumbnail() for letter in "abc"}, words=KIND.words, target=ONE_LABEL
    )


def page_of_sets() -> str:
    """A suspect set, and an unlabelled example that looks like another."""
    suspect = Finding("suspect", 1, "a" * 64, f"{HOSTILE}/1.png", "train", NAMES[0], f"{HOSTILE}|{NAMES[2]}", 0.9, 0.1)
    unlabelled = Finding("unlabelled", 1, "c" * 64, "'3'.png", "train", "", NAMES[2], 0.41, 0.9)
    sections = build_sections((suspect, unlabelled), {"suspect": 1, "duplicate": 0, "unlabelled": 1})
    return render_page(HOSTILE, sections, NAMES, {}, words=KIND.words, target=LABEL_SETS)
