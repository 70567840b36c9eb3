"""The certificate as a record: the result of each way to learn, and whether transfer helped."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, TypeAdapter
from torch import Tensor

from thaw.foundation.files.records import read_record, write_record
from thaw.foundation.statistics.bootstrap import IntArray, Resampling
from thaw.params.values.strategy import PLAIN
from thaw.strategies.certificate.contest import Competitor, Outcome, Role, Skipped
from thaw.strategies.certificate.paired import Score, paired, score
from thaw.targets.target import BoolArray, Target, TargetName, target_named, target_of_targets

Verdict = Literal["helps", "hurts", "can't tell"]
LINEAR = "linear"
RESOLVED = 0.03
"""Half an interval's width above which the test split counts as too small to rank strategies, which rarely lie farther apart."""


@dataclass(frozen=True)
class Entry:
    """One way to learn. lead: over the linear head on the same draws and examples; None for the linear head itself. minutes: of one training.

    accuracies: of each draw; with label sets the macro F1. megabytes, images_per_second: of the deployed model; None: it is no model.
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
    """The comparison of the followed strategy, or of the linear head if that strategy transfers nothing, with a baseline. lead: paired, in accuracy and macro
    F1. verdict: on the headline, which is accuracy or, with label sets, macro F1."""

    over: str
    lead: Score
    verdict: Verdict


@dataclass(frozen=True)
class Certificate:
    """The result of `thaw compare`. strategy: the followed one. test_examples, training_examples: their numbers; the keys of
    data/certificate.json are older than kinds, and stay. seeds: of the draws.

    redrawn: whether each seed drew other training examples. enough: whether the test split is large enough to rank strategies that lie `RESOLVED` apart.
    target: of the labels; its headline decides. groups: the number of groups of test examples, over which the intervals are; None: they are over examples.
    """

    strategy: str
    test_examples: Annotated[int, Field(alias="test_images")]
    training_examples: Annotated[int, Field(alias="training_images")]
    seeds: tuple[int, ...]
    redrawn: bool
    confidence: float
    enough: bool
    entries: tuple[Entry, ...]
    rulings: tuple[Ruling, ...]
    skipped: tuple[Skipped, ...]
    target: TargetName = "one_label"
    groups: int | None = None

    @property
    def judged_by(self) -> Target:
        """The target of the labels; its headline decides."""
        return target_named(self.target)

    def entry(self, name: str) -> Entry:
        """The entry of that name; KeyError if there is none."""
        return {entry.name: entry for entry in self.entries}[name]


@dataclass(frozen=True, eq=False)
class Terms:
    """The terms of a contest: see `Certificate`. groups: of the test examples, int64 [N]; None: each example is its own."""

    strategy: str
    training_examples: int
    seeds: tuple[int, ...]
    redrawn: bool
    groups: IntArray | None = None


def certify(
    competitors: Sequence[Competitor], outcome: Outcome, targets: Tensor, terms: Terms, resampling: Resampling
) -> Certificate:
    """The certificate of a contest's outcome. targets: of the test examples, int64 [N] or bool [N, C]."""
    target, named = target_of_targets(targets), outcome.named
    classes = next(iter(named.values())).shape[2]
    shown = np.asarray(target.indicators(targets, classes).bool().numpy(), np.bool_)
    jury = _Jury(target, shown, resampling, terms.groups)
    entries = tuple(_entry(competitor, outcome, jury) for competitor in competitors if competitor.name in named)
    # Against the plain model stands what transfers, whichever of the two is followed.
    followed = terms.strategy if terms.strategy in named and terms.strategy != PLAIN else LINEAR
    rulings = tuple(
        _ruling(competitor.name, jury.paired(named[followed], named[competitor.name]), target)
        for competitor in competitors
        if competitor.role == "baseline" and competitor.name in named and competitor.name != followed
    )
    leads = [entry.lead.headline(target) for entry in entries if entry.lead and entry.role == "strategy"]
    widths = [(lead.high - lead.low) / 2 for lead in leads]
    return Certificate(
        strategy=terms.strategy,
        test_examples=len(targets),
        training_examples=terms.training_examples,
        seeds=terms.seeds,
        redrawn=terms.redrawn,
        confidence=resampling.confidence,
        enough=bool(widths) and max(widths) <= RESOLVED,
        entries=entries,
        rulings=rulings,
        skipped=outcome.skipped,
        target=target.name,
        groups=None if terms.groups is None else len(np.unique(terms.groups)),
    )


@dataclass(frozen=True, eq=False)
class _Jury:
    """The judge of competitors: the true classes, bool [N, C], the target, the resampling of intervals, and the groups of rows, int64 [N]."""

    target: Target
    shown: BoolArray
    resampling: Resampling
    groups: IntArray | None

    def score(self, named: BoolArray) -> Score:
        return score(named, self.shown, self.resampling, self.groups)

    def paired(self, first: BoolArray, second: BoolArray) -> Score:
        return paired(first, second, self.shown, self.resampling, self.groups)

    def of_each_draw(self, named: BoolArray) -> tuple[float, ...]:
        once = Resampling(1, self.resampling.confidence)
        return tuple(score(draw[None], self.shown, once).headline(self.target).value for draw in named)


def _entry(competitor: Competitor, outcome: Outcome, jury: _Jury) -> Entry:
    own, linear = outcome.named[competitor.name], outcome.named[LINEAR]
    return Entry(
        name=competitor.name,
        role=competitor.role,
        score=jury.score(own),
        accuracies=jury.of_each_draw(own),
        lead=None if competitor.name == LINEAR else jury.paired(own, linear),
        minutes=outcome.seconds[competitor.name] / 60,
        megabytes=competitor.megabytes,
        images_per_second=competitor.images_per_second,
    )


def _ruling(over: str, lead: Score, target: Target) -> Ruling:
    decides = lead.headline(target)
    verdict: Verdict = "helps" if decides.low > 0 else "hurts" if decides.high < 0 else "can't tell"
    return Ruling(over, lead, verdict)


_ADAPTER: TypeAdapter[Certificate | None] = TypeAdapter(Certificate | None)


def write_certificate(certificate: Certificate, path: Path) -> None:
    """Write the certificate as JSON, atomically; `thaw.strategies.certificate.absent` writes that there is none."""
    write_record(_ADAPTER, certificate, path)


def read_certificate(path: Path) -> Certificate | None:
    """Read the file of `write_certificate` or `write_absent`; None: no certificate was requested.

    Raises:
        BadArtifact: the file is missing or damaged.
    """
    return read_record(
        _ADAPTER,
        path,
        lambda error: (
            f"{path} cannot be read as a certificate ({error}); run `thaw run --stage compare` to make it again"
        ),
    )


def as_json(certificate: Certificate) -> object:
    """The plain values of `data/certificate.json`."""
    return _ADAPTER.dump_python(certificate, mode="json", by_alias=True)


def figures_of(entry: Entry, target: Target) -> dict[str, float]:
    """An entry's figures by name, for MLflow and DVC."""
    decides = entry.score.headline(target)
    name, right = target.headline, target.right.replace(" ", "_")
    figures = {
        right: entry.score.accuracy.value,
        f"{name}_low": decides.low,
        f"{name}_high": decides.high,
        "macro_f1": entry.score.macro_f1.value,
        "minutes": entry.minutes,
    }
    if entry.megabytes is not None:
        figures["megabytes"] = entry.megabytes
    if entry.lead is not None:
        lead = entry.lead.headline(target)
        figures |= {"lead": lead.value, "lead_low": lead.low, "lead_high": lead.high}
    return figures
