"""Figures that carry their meaning and unit, and how they are printed."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

BYTES, HOURS, NUMBER = "bytes", "h", ""
_PREFIXES = ("", "k", "M", "G", "T", "P", "E")


def figure(label: str, unit: str = NUMBER, *, source: str = "", **given: Any) -> Any:
    """A field of a dataclass: what it says, its unit, and where it comes from. The label of a dict has `{}` for the key."""
    return field(metadata={"label": label, "unit": unit, "source": source}, **given)


def figures_of(holder: "DataclassInstance") -> Iterator[tuple[str, str, float, str]]:
    """Label, unit, value and source of each figure, those of a dict one by one."""
    for one in fields(holder):
        value, about = getattr(holder, one.name), one.metadata
        for key, number in value.items() if isinstance(value, Mapping) else [("", value)]:
            if about:
                yield about["label"].format(key), about["unit"], number, about["source"]


def shown(value: float, unit: str) -> str:
    """To three digits, with decimal prefixes: `2.05M`, `8.22 kB`, `0.0021 h`; nothing for what has no end."""
    if math.isinf(value):
        return ""
    if unit not in {BYTES, NUMBER}:
        return f"{_three(value)} {unit}"
    if unit == NUMBER and value < 1e5:
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    step = max(0, int(math.log10(max(value, 1)) / 3))
    prefix = _PREFIXES[step] if unit == BYTES else _PREFIXES[step].replace("G", "B")  # 10B images, 10 GB
    return f"{_three(value / 1000**step)}{f' {prefix}B' if unit == BYTES else prefix}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """As Markdown."""
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *rows])


def _three(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value >= 0.01 else f"{value:.2g}"
