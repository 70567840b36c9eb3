"""What a person reads first in MLflow: the name of a run, and the description of a version, which its page begins with."""

import json
import re
from pathlib import Path

from tasks.project.paths import REPORT, STRATEGY
from tasks.registry.promotion_history import OUTSIDE, PROMOTE, REFUSE, ROLLBACK, Event
from tasks.registry.registry import Registry
from thaw.evaluation.checks import read_checks
from thaw.params.sections import Params
from thaw.params.values.kind import kind_of
from thaw.params.values.strategy import read_strategy

HEADLINES = {"accuracy": "accuracy", "macro_f1": "macro F1", "misses": "misses"}
"""The figures that stand for a model, the first that was measured, with their names for people."""
NOT_ASKED = "not asked yet"
_HAPPENED = {
    PROMOTE: "promoted",
    REFUSE: "refused",
    ROLLBACK: "made the champion again by a rollback",
    OUTSIDE: "made the champion outside Thaw",
}
_GATES = re.compile(r"^Gates: .*$", re.MULTILINE)


def run_name(params: Params) -> str:
    """The data set, the strategy and the headline of the model of the last evaluation, such as `digits, linear, accuracy 0.973`."""
    return ", ".join((data_name(params), str(read_strategy(STRATEGY)), _headline(_measured())))


def summary_tags(params: Params) -> dict[str, str]:
    """The same as tags. MLflow sorts tags by their names, so these stand before those below `thaw.`, which hold hashes."""
    test = _measured()
    name = _headline_name(test)
    value = f"{test[name]:.3f}{_interval(test, name)}"
    return {HEADLINES[name]: value, "data": data_name(params), "strategy": str(read_strategy(STRATEGY))}


def describe(params: Params) -> str:
    """The description of a new version, in Markdown."""
    test, strategy = _measured(), read_strategy(STRATEGY)
    examples = kind_of(params).words.many
    interval = _interval(test, _headline_name(test))
    headline = _headline(test)
    return "\n\n".join(
        (
            f"**{headline[0].upper()}{headline[1:]}**{interval} on {test['n']:.0f} test {examples}",
            f"Strategy: {strategy}, on the layer `{strategy.layer}` of `{params.backbone.weights}`",
            f"Data: `{params.dataset.source}`",
            f"Gates: {NOT_ASKED}",
            f"To look at: {_to_look_at(examples)}",
        )
    )


def tell_gates(registry: Registry, event: Event) -> None:
    """Put what became of a version at the gates into its description."""
    version = registry.version(event.version)
    told = with_gates(version.description, f"{_HAPPENED[event.kind]} on {event.when[:10]}: {event.reason}")
    if told != version.description:
        registry.describe(version.number, told)


def with_gates(description: str, words: str) -> str:
    """The description with another line on the gates; what people have written beside it stays."""
    line = f"Gates: {' '.join(words.split())}"
    if _GATES.search(description):
        return _GATES.sub(lambda _: line, description, count=1)
    return "\n\n".join(filter(None, (description, line)))


def data_name(params: Params) -> str:
    """The name of the source's folder."""
    return Path(params.dataset.source).resolve().name


def _to_look_at(examples: str) -> str:
    """What the checks found, and where the report is."""
    checks = read_checks(REPORT / "checks.json")
    leaked, suspects = checks.leakage.copies + checks.leakage.groups, checks.suspects.suspects if checks.suspects else 0
    counts = (
        (leaked, f"training {examples} that val or test has too, or their group"),
        (checks.near_copies.copies, "near-copies in test"),
        (suspects, "suspect labels (`thaw review`)"),
    )
    found = [f"{count} {words}" for count, words in counts if count]
    return "; ".join((*found, "the report, `report/report.html` among the artifacts of the source run"))


def _measured() -> dict[str, float]:
    """The figures on the test split."""
    test = json.loads((REPORT / "metrics.json").read_text(encoding="utf-8"))["test"]
    return {name: value for name, value in test.items() if isinstance(value, int | float)}


def _headline_name(test: dict[str, float]) -> str:
    return next(name for name in HEADLINES if name in test)


def _headline(test: dict[str, float]) -> str:
    name = _headline_name(test)
    return f"{HEADLINES[name]} {test[name]:.3f}"


def _interval(test: dict[str, float], name: str) -> str:
    """The interval after the figure; empty if there is none."""
    low, high = test.get(f"{name}_low"), test.get(f"{name}_high")
    return "" if low is None or high is None else f" ({low:.3f} to {high:.3f})"
