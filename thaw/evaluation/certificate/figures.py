"""Figures of the certificate."""

import numpy as np
from matplotlib.figure import Figure

from thaw.evaluation.certificate.words import followed
from thaw.foundation.files.display_names import shortened
from thaw.kinds.kind import Words
from thaw.pages.figures import BLUE, INK, MUTED, VERMILION, new_figure, percent_axis
from thaw.strategies.certificate.record import Certificate, Entry

SECOND = 1 / 60
NUDGES = ((6, 5), (6, -12), (-8, 18), (-8, -25))
"""The places of names beside their dots, in points; neighbours in time have different heights."""


def accuracy_figure(certificate: Certificate, examples: Words) -> Figure:
    """The mean test accuracy (or macro F1) of each way to learn, with its interval, best first. Dots are repetitions; baselines are orange."""
    target = certificate.judged_by
    entries = sorted(certificate.entries, key=lambda entry: entry.score.headline(target).value)
    figure, axes = new_figure(5.6, 0.9 + 0.42 * len(entries))
    places = np.arange(len(entries))
    for place, entry in zip(places, entries, strict=True):
        value, color = entry.score.headline(target), _color(entry)
        axes.plot([value.low, value.high], [place, place], color=color, linewidth=4, alpha=0.4)
        axes.plot(entry.accuracies, [place] * len(entry.accuracies), "o", color=MUTED, markersize=3)
        axes.plot(value.value, place, "o", color=color, markersize=7)
    axes.set_yticks(places, [_label(entry, certificate) for entry in entries], fontsize=9, parse_math=False)
    low = min(min(entry.score.headline(target).low, *entry.accuracies) for entry in entries)
    high = max(max(entry.score.headline(target).high, *entry.accuracies) for entry in entries)
    reach = max(0.02, 0.06 * (high - low))
    percent_axis(axes, "x", max(0.0, low - reach), min(1.0 + reach / 4, high + reach))
    axes.set_xlabel(target.share(f"test {examples.many}"), color=INK)
    return figure


def price_figure(certificate: Certificate, examples: Words) -> Figure:
    """Accuracy of each strategy against the time of one training, on a logarithmic scale."""
    figure, axes = new_figure(5.2, 3.6)
    target = certificate.judged_by
    entries = sorted((e for e in certificate.entries if e.role == "strategy"), key=lambda entry: entry.minutes)
    for place, entry in enumerate(entries):
        value, minutes = entry.score.headline(target), max(entry.minutes, SECOND / 100)
        axes.plot([minutes] * 2, [value.low, value.high], color=_color(entry), linewidth=3, alpha=0.4)
        axes.plot(minutes, value.value, "o", color=_color(entry), markersize=6)
        axes.annotate(
            shortened(entry.name.replace("_", " "), 18),
            (minutes, value.value),
            NUDGES[place % len(NUDGES)],
            textcoords="offset points",
            fontsize=8,
            color=INK,
            parse_math=False,
        )
    axes.set_xscale("log")
    shortest = min(max(entry.minutes, SECOND / 100) for entry in entries)
    longest = max(entry.minutes for entry in entries)
    axes.set_xlim(shortest / 2, max(longest, shortest) * 6)
    low = min(entry.score.headline(target).low for entry in entries)
    high = max(entry.score.headline(target).high for entry in entries)
    reach = max(0.01, 0.25 * (high - low))
    percent_axis(axes, "y", max(0.0, low - reach), min(1.0 + reach / 2, high + reach))
    ticks = [(SECOND / 10, "0.1 s"), (SECOND, "1 s"), (10 * SECOND, "10 s"), (1, "1 min"), (10, "10 min"), (60, "1 h")]
    shown = [(at, name) for at, name in ticks if shortest / 2 <= at <= max(longest, shortest) * 6]
    axes.set_xticks([at for at, _ in shown], [name for _, name in shown], fontsize=8)
    axes.minorticks_off()
    axes.set_xlabel("one training on this machine", color=INK)
    axes.set_ylabel(target.share(f"test {examples.many}"), color=INK)
    return figure


def _color(entry: Entry) -> str:
    return VERMILION if entry.role == "baseline" else BLUE


def _label(entry: Entry, certificate: Certificate) -> str:
    name = shortened(entry.name.replace("_", " "), 24)
    return f"{name} *" if entry.name == followed(certificate) else name
