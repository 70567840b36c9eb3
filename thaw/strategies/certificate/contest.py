"""The contest: every competitor learns from the same draws and predicts the same test examples; finished trials are kept."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import TypeAdapter, ValidationError

from thaw.foundation.files.atomic import write_bytes
from thaw.foundation.parallel.progress import Progress, untold
from thaw.strategies.baselines.transfer_gain import Draw, Learner
from thaw.targets.target import BoolArray

Role = Literal["strategy", "baseline"]


@dataclass(frozen=True, eq=False)
class Competitor:
    """A way to learn. seconds: the predicted training time for a number of examples; None where training takes no measurable time.

    megabytes: the deployed model's size, 10^6 bytes. images_per_second: its speed on this machine. None: it is no model.
    """

    name: str
    role: Role
    learn: Learner
    seconds: Callable[[int], float] | None = None
    megabytes: float | None = None
    images_per_second: float | None = None


@dataclass(frozen=True)
class Trial:
    """A competitor's result on one draw: the number of classes, the places of the named classes of each test example, and the seconds of learning and
    predicting."""

    classes: int
    named: tuple[tuple[int, ...], ...]
    seconds: float

    def table(self) -> BoolArray:
        """The named classes, bool [N, C]."""
        table = np.zeros((len(self.named), self.classes), np.bool_)
        for row, places in enumerate(self.named):
            table[row, list(places)] = True
        return table


@dataclass(frozen=True)
class Skipped:
    """A competitor that did not take part, and the reason."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class Outcome:
    """The result of a contest, by competitor. named: bool [S, N, C], the named classes of each test example for each draw. seconds: the mean of one
    training."""

    named: Mapping[str, BoolArray]
    seconds: Mapping[str, float]
    skipped: tuple[Skipped, ...]


_ADAPTER = TypeAdapter(Trial)


def hold_contest(
    competitors: Sequence[Competitor],
    draws: Sequence[Draw],
    *,
    minutes: float,
    keep: Path,
    progress: Progress = untold,
    clock: Callable[[], float] = time.perf_counter,
) -> Outcome:
    """Let every competitor learn from every draw, the cheapest first; a competitor whose draws would not all fit into the rest of `minutes` is skipped.

    keep: a folder for these inputs alone. A trial in it is not repeated, so a killed contest continues where it stopped.
    """
    ends = clock() + 60 * minutes
    total, done = len(competitors) * len(draws), 0
    named: dict[str, BoolArray] = {}
    seconds: dict[str, float] = {}
    skipped: list[Skipped] = []
    for competitor in sorted(competitors, key=lambda competitor: competitor.seconds is not None):
        kept = [_read(_path(keep, competitor, draw)) for draw in draws]
        missing = sum(trial is None for trial in kept)
        needed = 0.0
        if missing and competitor.seconds is not None:
            needed = missing * competitor.seconds(len(draws[0].rows))
        if needed and needed > ends - clock():
            skipped.append(
                Skipped(
                    competitor.name,
                    f"{missing} trainings would take up to {needed / 60:.0f} minutes; raise compare.minutes",
                )
            )
        else:
            trials = []
            for draw, trial in zip(draws, kept, strict=True):
                trials.append(trial or _hold(competitor, draw, _path(keep, competitor, draw)))
                progress(done + len(trials), total)
            named[competitor.name] = np.stack([trial.table() for trial in trials])
            seconds[competitor.name] = sum(trial.seconds for trial in trials) / len(trials)
        done += len(draws)
        progress(done, total)
    in_order = {competitor.name: named[competitor.name] for competitor in competitors if competitor.name in named}
    return Outcome(in_order, seconds, tuple(skipped))


def _hold(competitor: Competitor, draw: Draw, path: Path) -> Trial:
    start = time.perf_counter()
    named = competitor.learn(draw)
    places = tuple(tuple(row.nonzero().flatten().tolist()) for row in named)
    trial = Trial(named.shape[1], places, time.perf_counter() - start)
    write_bytes(path, _ADAPTER.dump_json(trial))
    return trial


def _read(path: Path) -> Trial | None:
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _path(keep: Path, competitor: Competitor, draw: Draw) -> Path:
    name = competitor.name.replace(" ", "_").replace("/", "_")
    return keep / f"{name}-{draw.seed}.json"
