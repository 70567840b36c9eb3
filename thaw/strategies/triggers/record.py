"""The record of the advice on triggers, on disk as `data/advice.json`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from thaw.foundation.files.records import read_record, write_record
from thaw.pages.layout import percent
from thaw.params.values.strategy import Strategy
from thaw.strategies.triggers.layers import Trial

TITLES = {"linear": "one new layer", "mlp": "several new layers"}


@dataclass(frozen=True)
class TriggerAdvice:
    """trials: of cross-validation; none where `strategy.kind` was given. rate: false accepts an hour at which misses are counted. followed: what later stages
    follow. automatic: whether it is the choice of `auto`."""

    trials: tuple[Trial, ...]
    rate: float
    followed: Strategy
    reason: str
    automatic: bool
    format: Literal["thaw.trigger_advice/1"] = "thaw.trigger_advice/1"


_ADVICE = TypeAdapter(TriggerAdvice)


def write_trigger_advice(advice: TriggerAdvice, path: Path) -> None:
    """Write the advice as JSON, atomically."""
    write_record(_ADVICE, advice, path)


def read_trigger_advice(path: Path) -> TriggerAdvice:
    """Read the advice of `write_trigger_advice`.

    Raises:
        BadArtifact: the file is missing or damaged, or the advice on another target.
    """
    return read_record(
        _ADVICE,
        path,
        lambda error: f"{path} is no advice on triggers ({error}); run `thaw run --stage advise` to make it again",
    )


def is_on_triggers(path: Path) -> bool:
    """Whether a file of an advice has the format of this one; a missing or torn file has none."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(values, dict) and values.get("format") == TriggerAdvice.format


def as_json(advice: TriggerAdvice) -> object:
    """The plain values of `data/advice.json`."""
    return _ADVICE.dump_python(advice, mode="json")


def verdict(advice: TriggerAdvice) -> str:
    """The advice in one sentence."""
    return f"Train {TITLES[advice.followed.kind]} on windows of the sound: {advice.reason}."


def rows_of(advice: TriggerAdvice) -> list[tuple[str, str, str, str, str]]:
    """A row a trial: the word, the layers, the misses with their interval, the recordings with the word, and the hours without it."""
    return [
        (
            trial.word,
            f"{TITLES[trial.layers]}{', without the network' if trial.plain else ''}",
            f"{percent(trial.misses.value)} ({percent(trial.misses.low)} to {percent(trial.misses.high)})",
            f"{trial.clips} of {trial.groups} groups",
            f"{trial.hours:.2g}",
        )
        for trial in advice.trials
    ]


def heading(advice: TriggerAdvice) -> tuple[str, str, str, str, str]:
    """The names of the columns of `rows_of`."""
    return (
        "trigger",
        "strategy",
        f"missed at {advice.rate:g} false accepts an hour",
        "recordings with it",
        "hours without it",
    )
