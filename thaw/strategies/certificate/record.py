"""The certificate as a record: what each way to learn reached, and whether transfer helped."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import TypeAdapter
from torch import Tensor

from thaw.foundation.files.records import read_record, write_record
from thaw.foundation.statistics.bootstrap import Resampling
from thaw.strategies.certificate.contest import Competitor, Outcome, Role, Skipped
from thaw.strategies.certificate.paired import Score, paired, score
from thaw.targets.target import BoolArray, Target, TargetName, target_named, target_of_targets

Verdict = Literal["helps", "hurts", "can't tell"]
LINEAR = "linear"
RESOLVED = 0.03
"""Half an interval's width above which the test split is called too small to rank strategies: they rarely lie farther apart."""


@dataclass(frozen=True)
class Entry:
    """One way to learn. lead: over the linear head on the same draws and images, None for the linear head itself. minutes: of one training.

    accuracies: of each draw, of label sets the macro F1. megabytes, images_per_second: of the deployed model; None: it is no model.
    """

    name: str
    role: Role
    score: Score
    accuracies: tuple[float, ...]
    lead: Score | None
    minutes: float
    megabytes: float | None
    images_per_second: float | None


@dataclass(frozen=True)
class Ruling:
    """Whether the followed strategy is better than a baseline; lead: paired, of accuracy and macro F1; the verdict is on the headline: accuracy, or
    macro F1 of label sets."""

    over: str
    lead: Score
    verdict: Verdict


@dataclass(frozen=True)
class Certificate:
    """What `thaw compare` found. strategy: the one that is followed. test_images, training_images: how many; seeds: of the draws.

    redrawn: each seed drew other images to learn from. enough: the test split is large enough to rank strategies that lie `RESOLVED` apart. target: what
    labels are, whose headline decides.
    """

    strategy: str
    test_images: int
    training_images: int
    seeds: tuple[int, ...]
    redrawn: bool
    confidence: float
    enough: bool
    entries: tuple[Entry, ...]
    rulings: tuple[Ruling, ...]
    skipped: tuple[Skipped, ...]
    target: TargetName = "one_label"

    @property
    def judged_by(self) -> Target:
        """What labels are, which says what decides."""
        return target_named(self.target)

    def entry(self, name: str) -> Entry:
        """The entry of that name; KeyError where there is none."""
        return {entry.name: entry for entry in self.entries}[name]


@dataclass(frozen=True)
class Terms:
    """Under which a contest was held: see `Certificate`."""

    strategy: str
    training_images: int
    seeds: tuple[int, ...]
    redrawn: bool


def certify(
    competitors: Sequence[Competitor], outcome: Outcome, targets: Tensor, terms: Terms, resampling: Resampling
) -> Certificate:
    """Put a contest's outcome into words and intervals. targets: of the test examples, int64 [N] or bool [N, C]."""
    target, named = target_of_targets(targets), outcome.named
    classes = next(iter(named.values())).shape[2]
    jury = _Jury(target, np.asarray(target.indicators(targets, classes).bool().numpy(), np.bool_), resampling)
    entries = tuple(_entry(one, outcome, jury) for one in competitors if one.name in named)
    followed = terms.strategy if terms.strategy in named else LINEAR
    rulings = tuple(
        _ruling(one.name, jury.paired(named[followed], named[one.name]), target)
        for one in competitors
        if one.role == "baseline" and one.name in named and one.name != followed
    )
    leads = [entry.lead.headline(target) for entry in entries if entry.lead and entry.role == "strategy"]
    widths = [(lead.high - lead.low) / 2 for lead in leads]
    return Certificate(
        strategy=terms.strategy,
        test_images=len(targets),
        training_images=terms.training_images,
        seeds=terms.seeds,
        redrawn=terms.redrawn,
        confidence=resampling.confidence,
        enough=bool(widths) and max(widths) <= RESOLVED,
        entries=entries,
        rulings=rulings,
        skipped=outcome.skipped,
        target=target.name,
    )


@dataclass(frozen=True, eq=False)
class _Jury:
    """What is right, bool [N, C], by which headline, and how intervals are made."""

    target: Target
    shown: BoolArray
    resampling: Resampling

    def score(self, named: BoolArray) -> Score:
        return score(named, self.shown, self.resampling)

    def paired(self, first: BoolArray, second: BoolArray) -> Score:
        return paired(first, second, self.shown, self.resampling)

    def of_each_draw(self, named: BoolArray) -> tuple[float, ...]:
        once = Resampling(1, self.resampling.confidence)
        return tuple(score(draw[None], self.shown, once).headline(self.target).value for draw in named)


def _entry(one: Competitor, outcome: Outcome, jury: _Jury) -> Entry:
    own, linear = outcome.named[one.name], outcome.named[LINEAR]
    return Entry(
        name=one.name,
        role=one.role,
        score=jury.score(own),
        accuracies=jury.of_each_draw(own),
        lead=None if one.name == LINEAR else jury.paired(own, linear),
        minutes=outcome.seconds[one.name] / 60,
        megabytes=one.megabytes,
        images_per_second=one.images_per_second,
    )


def _ruling(over: str, lead: Score, target: Target) -> Ruling:
    decides = lead.headline(target)
    verdict: Verdict = "helps" if decides.low > 0 else "hurts" if decides.high < 0 else "can't tell"
    return Ruling(over, lead, verdict)


_ADAPTER: TypeAdapter[Certificate | None] = TypeAdapter(Certificate | None)


def write_certificate(certificate: Certificate, path: Path) -> None:
    """Write the certificate as JSON, atomically; see `thaw.strategies.certificate.absent` for where there is none."""
    write_record(_ADAPTER, certificate, path)


def read_certificate(path: Path) -> Certificate | None:
    """Read what `write_certificate` or `write_absent` wrote; None: no certificate was asked for.

    Raises:
        BadArtifact: it is missing or damaged.
    """
    return read_record(
        _ADAPTER,
        path,
        lambda error: (
            f"{path} cannot be read as a certificate ({error}); run `thaw run --stage compare` to make it again"
        ),
    )


def figures_of(entry: Entry, target: Target) -> dict[str, float]:
    """An entry's figures by name, for MLflow and DVC."""
    decides = entry.score.headline(target)
    name, right = target.headline, target.right.replace(" ", "_")
    found = {
        right: entry.score.accuracy.value,
        f"{name}_low": decides.low,
        f"{name}_high": decides.high,
        "macro_f1": entry.score.macro_f1.value,
        "minutes": entry.minutes,
    }
    if entry.megabytes is not None:
        found["megabytes"] = entry.megabytes
    if entry.lead is not None:
        lead = entry.lead.headline(target)
        found |= {"lead": lead.value, "lead_low": lead.low, "lead_high": lead.high}
    return found
