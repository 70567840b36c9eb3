"""What unheard sound shows of a promise: the false accepts on recordings that neither trained a detector nor tuned its threshold."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from thaw.foundation.files.records import read_record, write_record
from thaw.foundation.statistics.poisson_bound import dispersion_of, rate_bound, rate_floor
from thaw.targets.trigger.events import Background
from thaw.targets.trigger.promise import Promise


@dataclass(frozen=True)
class KeptPromise:
    """The false accepts of a word on unheard sound: `accepted` events in `hours` of `groups` groups.

    bound, floor: of the rate an hour, upper and lower, each at the confidence of the promise. stated: the promise's own bound.
    """

    word: str
    accepted: int
    hours: float
    groups: int
    bound: float
    floor: float
    stated: float

    @property
    def an_hour(self) -> float:
        """As counted."""
        return self.accepted / self.hours

    @property
    def is_broken(self) -> bool:
        """Whether the rate is shown to be above what is stated."""
        return self.floor > self.stated


def kept_promise(word: str, promise: Promise, background: Background) -> KeptPromise:
    """Count the events above the promised threshold; differences between groups widen both bounds."""
    counts, confidence = background.false_accepts(promise.threshold), promise.budget.confidence
    accepted, hours = int(counts.sum()), background.hours
    dispersion = dispersion_of(counts, background.group_hours, confidence)
    return KeptPromise(
        word=word,
        accepted=accepted,
        hours=hours,
        groups=len(counts),
        bound=rate_bound(accepted, hours, confidence, dispersion),
        floor=rate_floor(accepted, hours, confidence, dispersion),
        stated=promise.bound,
    )


_ADAPTER = TypeAdapter(tuple[KeptPromise, ...])


def write_kept_promises(promises: Sequence[KeptPromise], path: Path) -> None:
    """Write them as JSON, atomically, for the gates of a promotion."""
    write_record(_ADAPTER, tuple(promises), path)


def read_kept_promises(path: Path) -> tuple[KeptPromise, ...]:
    """Read those of `write_kept_promises`.

    Raises:
        BadArtifact: the file is missing, damaged, or of another version.
    """
    return read_record(
        _ADAPTER,
        path,
        lambda _: f"{path} holds no false accepts of this version; run `thaw run --stage evaluate` to make it again",
    )
