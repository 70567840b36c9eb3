"""The certificate as a record: what each way to learn reached, and whether transfer helped."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from thaw.foundation.files.records import read_record, write_record
from thaw.foundation.statistics.bootstrap import IntArray, Resampling
from thaw.strategies.certificate.contest import Competitor, Outcome, Role, Skipped
from thaw.strategies.certificate.paired import Score, paired, score

Verdict = Literal["helps", "hurts", "can't tell"]
LINEAR = "linear"
RESOLVED = 0.03
"""Half an interval's width above which the test split is called too small to rank strategies: they rarely lie farther apart."""


@dataclass(frozen=True)
class Entry:
    """One way to learn. lead: over the linear head on the same draws and images, None for the linear head itself. minutes: of one training.

    accuracies: of each draw. megabytes, images_per_second: of the deployed model; None: it is no model.
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
    """Whether the followed strategy is better than a baseline; lead: paired, of accuracy and macro F1; the verdict is on accuracy."""

    over: str
    lead: Score
    verdict: Verdict


@dataclass(frozen=True)
class Certificate:
    """What `thaw compare` found. strategy: the one that is followed. test_images, training_images: how many; seeds: of the draws.

    redrawn: each seed drew other images to learn from. enough: the test split is large enough to rank strategies that lie `RESOLVED` apart.
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
    competitors: Sequence[Competitor], outcome: Outcome, targets: IntArray, terms: Terms, resampling: Resampling
) -> Certificate:
    """Put a contest's outcome into words and intervals. targets: int64 [N], of the test images."""
    predicted = outcome.predicted
    entries = tuple(_entry(one, outcome, targets, resampling) for one in competitors if one.name in predicted)
    followed = terms.strategy if terms.strategy in predicted else LINEAR
    rulings = tuple(
        _ruling(one.name, paired(predicted[followed], predicted[one.name], targets, resampling))
        for one in competitors
        if one.role == "baseline" and one.name in predicted and one.name != followed
    )
    widths = [(e.lead.accuracy.high - e.lead.accuracy.low) / 2 for e in entries if e.lead and e.role == "strategy"]
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
    )


def _entry(one: Competitor, outcome: Outcome, targets: IntArray, resampling: Resampling) -> Entry:
    own, linear = outcome.predicted[one.name], outcome.predicted[LINEAR]
    return Entry(
        name=one.name,
        role=one.role,
        score=score(own, targets, resampling),
        accuracies=tuple(float(value) for value in (own == targets).mean(1)),
        lead=None if one.name == LINEAR else paired(own, linear, targets, resampling),
        minutes=outcome.seconds[one.name] / 60,
        megabytes=one.megabytes,
        images_per_second=one.images_per_second,
    )


def _ruling(over: str, lead: Score) -> Ruling:
    verdict: Verdict = "helps" if lead.accuracy.low > 0 else "hurts" if lead.accuracy.high < 0 else "can't tell"
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


def figures_of(entry: Entry) -> dict[str, float]:
    """An entry's figures by name, for MLflow and DVC."""
    accuracy, f1 = entry.score.accuracy, entry.score.macro_f1
    found = {
        "accuracy": accuracy.value,
        "accuracy_low": accuracy.low,
        "accuracy_high": accuracy.high,
        "macro_f1": f1.value,
        "minutes": entry.minutes,
    }
    if entry.megabytes is not None:
        found["megabytes"] = entry.megabytes
    if entry.lead is not None:
        lead = entry.lead.accuracy
        found |= {"lead": lead.value, "lead_low": lead.low, "lead_high": lead.high}
    return found
