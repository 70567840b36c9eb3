"""Findings of each kind, from examples and their features."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from thaw.dataset.corrections import LEAVE_OUT
from thaw.dataset.manifest import SPLITS, TEST, Example
from thaw.dataset.selection import class_names_of
from thaw.foundation.errors import BadManifest
from thaw.foundation.parallel.progress import Progress, untold
from thaw.heads import FittedHead
from thaw.params.sections import HeadParams
from thaw.review.acquisition import choose_to_label
from thaw.review.duplicates import find_near_duplicates
from thaw.review.findings import Finding
from thaw.review.suspects import Judged, find_suspects, judge
from thaw.targets.labelled import LabelledFeatures
from thaw.targets.suspect import Suspect
from thaw.targets.target import Target


@dataclass(frozen=True, eq=False)
class Rows:
    """Examples of different content, row for row with `features`, float32 [N, D], and `groups`, int64 [N] (None: no example has one). Suspect labels are found
    on bags int32 [N, L] too."""

    examples: tuple[Example, ...]
    features: Tensor
    groups: Tensor | None = None

    def labelled(self, numbers: Sequence[int], class_names: tuple[str, ...], target: Target) -> LabelledFeatures:
        """Some of the rows, with their targets."""
        index = torch.tensor(numbers, dtype=torch.int64)
        targets = target.encode([self.examples[number] for number in numbers], class_names)
        groups = None if self.groups is None else self.groups[index]
        return LabelledFeatures(self.features[index], targets, class_names, groups)


class Judge(Protocol):
    """A judge of labels."""

    def __call__(self, learning: Sequence[int], test: Sequence[int], class_names: tuple[str, ...]) -> Judged:
        """Judge rows by their numbers: those of `learning` out of fold, those of `test` by what learnt from all of `learning`."""


@dataclass(frozen=True, eq=False)
class HeadJudge:
    """A judge by linear heads on the rows' features."""

    rows: Rows
    params: HeadParams
    target: Target

    def __call__(self, learning: Sequence[int], test: Sequence[int], class_names: tuple[str, ...]) -> Judged:
        """See `Judge`.

        Raises:
            BadManifest: there are fewer than two classes.
        """
        if len(class_names) < 2:
            raise BadManifest(
                "labels can be judged only with two or more classes, and train and val have labels of fewer; label some examples of another class"
            )
        own, others = (self.rows.labelled(numbers, class_names, self.target) for numbers in (learning, test))
        return judge(own, others, self.params)


def list_suspects(
    examples: Sequence[Example], decided: Collection[bytes], judge: Judge, target: Target
) -> tuple[list[Finding], FittedHead | None]:
    """Labels of every split that look wrong, the worst first, and the judge's head on train and val, which never learns from the test.

    Labels of train and val are judged out of fold. decided: the digests of examples that a person has decided on; they are left out.

    Raises:
        BadManifest: the labels of train and val cannot be judged.
    """
    learning = [number for number, example in enumerate(examples) if example.split != TEST]
    names = class_names_of(examples[number] for number in learning)
    known = set(names)
    test = [n for n, example in enumerate(examples) if example.split == TEST and known >= set(example.names or ())]
    judged = judge(learning, test, names)
    held_out = judged.held_out.nonzero()[:, 0].tolist()
    order = [learning[number] for number in held_out] + test
    given = target.encode([examples[number] for number in order], names)
    moments = None if judged.moments is None else torch.cat([judged.moments[0][held_out], judged.moments[1]])
    suspects = find_suspects(torch.cat([judged.learning[held_out], judged.test]), given)
    kept = [suspect for suspect in suspects if examples[order[suspect.row]].digest not in decided]
    findings = [
        Finding.of(
            examples[order[suspect.row]],
            kind="suspect",
            rank=rank,
            suggested=target.written([names[place] for place in suspect.suggested]),
            probability=suspect.probability,
            score=suspect.quality,
            at_s=None if moments is None else _moment(suspect, given, moments),
        )
        for rank, suspect in enumerate(kept, start=1)
    ]
    return findings, judged.head


def _moment(suspect: Suspect, given: Tensor, moments: Tensor) -> float:
    """Where the first class is heard that the suggestion adds or takes away, in seconds; given: bool [N, C]; moments: float32 [N, C]."""
    changed = given[suspect.row].clone()
    changed[list(suspect.suggested)] ^= True
    return round(float(moments[suspect.row][changed][0]), 2)


def list_duplicates(rows: Rows, progress: Progress = untold) -> list[Finding]:
    """Both examples of each pair of near-copies in different splits, next to each other, the most alike pair first.

    The example of the earlier split in the order train, val, test comes first; it is the example to leave out.
    """
    splits = torch.tensor([SPLITS.index(example.split) for example in rows.examples], dtype=torch.int64)
    findings = []
    for rank, pair in enumerate(find_near_duplicates(rows.features, splits, progress), start=1):
        both = (rows.examples[pair.first], rows.examples[pair.second])
        less, more = sorted(both, key=lambda example: SPLITS.index(example.split))
        for example, other, suggested in ((less, more, LEAVE_OUT), (more, less, "")):
            finding = Finding.of(
                example, kind="duplicate", rank=rank, suggested=suggested, score=pair.similarity, other=other
            )
            findings.append(finding)
    return findings


def list_useful(rows: Rows, head: FittedHead, count: int, judged: Tensor | None = None) -> list[Finding]:
    """At most `count` unlabelled rows that are worth a label next. judged: the features that the head takes; None: those of `rows`."""
    if not rows.examples:
        return []
    target, probabilities = head.target, head.probabilities(rows.features if judged is None else judged)
    named = head.named(probabilities)
    sure = target.sureness(probabilities, named)
    chosen = choose_to_label(target.unsure(probabilities), rows.features, count)
    return [
        Finding.of(
            rows.examples[useful.row],
            kind="unlabelled",
            rank=rank,
            suggested=target.written([head.class_names[place] for place in named[useful.row].nonzero().flatten()]),
            probability=float(sure[useful.row]),
            score=useful.unsure,
        )
        for rank, useful in enumerate(chosen, start=1)
    ]
