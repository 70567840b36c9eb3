"""Findings of each kind, from examples and their features."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

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
from thaw.review.suspects import find_suspects, judge
from thaw.targets.labelled import LabelledFeatures
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


def list_suspects(
    rows: Rows, decided: Collection[bytes], params: HeadParams, target: Target
) -> tuple[list[Finding], FittedHead]:
    """Labels of every split that look wrong, the worst first, and a linear head that is fitted on train and val.

    Labels of train and val are judged out of fold, those of the test by that head, which never learns from the test. decided: the digests of examples that a
    person has decided on; they are left out.

    Raises:
        BadManifest: train and val have labels of fewer than two classes.
    """
    learning = [number for number, example in enumerate(rows.examples) if example.split != TEST]
    names = class_names_of(rows.examples[number] for number in learning)
    if len(names) < 2:
        raise BadManifest(
            "labels can be judged only with two or more classes, and train and val have labels of fewer; label some examples of another class"
        )
    known = set(names)
    test = [n for n, example in enumerate(rows.examples) if example.split == TEST and known >= set(example.names or ())]
    judged = judge(rows.labelled(learning, names, target), rows.labelled(test, names, target), params)
    held_out = judged.held_out.nonzero()[:, 0].tolist()
    order = [learning[number] for number in held_out] + test
    given = rows.labelled(order, names, target).targets
    suspects = find_suspects(torch.cat([judged.learning[held_out], judged.test]), given)
    kept = [suspect for suspect in suspects if rows.examples[order[suspect.row]].digest not in decided]
    findings = [
        Finding.of(
            rows.examples[order[suspect.row]],
            kind="suspect",
            rank=rank,
            suggested=target.written([names[place] for place in suspect.suggested]),
            probability=suspect.probability,
            score=suspect.quality,
        )
        for rank, suspect in enumerate(kept, start=1)
    ]
    return findings, judged.head


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
