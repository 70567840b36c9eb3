"""The sentences and cells of the ranking of backbones, for the page and the terminal."""

from collections.abc import Sequence

from thaw.kinds.kind import Words
from thaw.pages.layout import percent, points
from thaw.strategies.backbone_ranking import Ranked, Ranking
from thaw.targets.target import target_named

FRONT = "front"


def verdict(ranking: Ranking) -> str:
    """The recommended backbone, and why."""
    own, best = ranking.recommended, ranking.backbones[0]
    if own is best:
        return f"Take {best.name}: nothing cheaper is shown to be about as good."
    assert own.behind_best is not None
    return f"Take {own.name}: it is about as good as the best one, {best.name} ({points(own.behind_best)} beside it), and {_cheaper(own, best)}."


def _cheaper(own: Ranked, best: Ranked) -> str:
    """The factors in operations and in size."""
    assert own.operations is not None and best.operations is not None
    text = f"it needs {_factor(best.operations / own.operations)} fewer operations"
    return (
        f"{text} and is {_factor(best.megabytes / own.megabytes)} smaller" if own.megabytes < best.megabytes else text
    )


def _factor(times: float) -> str:
    return f"{times:,.0f} times" if times >= 10 else f"{times:.1f} times"


def undecided(ranking: Ranking) -> str | None:
    """The backbones that the examples cannot tell from the best one; None: there are none."""
    best, *others = ranking.backbones
    names = [ranked.name for ranked in others if ranked.undecided]
    return f"These examples can't tell {best.name} apart from {', '.join(names)}." if names else None


def how(ranking: Ranking) -> str:
    """How the figures were made."""
    text = (
        f"Linear probes on {ranking.rows} examples of train and validation, {ranking.folds} folds drawn {ranking.repeats} times, "
        f"{100 * ranking.confidence:g} % intervals; the test examples were not looked at."
    )
    if ranking.minutes is None:
        return text
    given = "1 minute of one core was" if ranking.minutes == 1 else f"{ranking.minutes:g} minutes of one core were"
    return f"{text} {given} given, counted in operations and not by the clock."


def columns(ranking: Ranking, examples: Words) -> tuple[str, ...]:
    """The headings of the table."""
    title = target_named(ranking.target).title
    return ("backbone", title, "behind the best", "LogME", "model", "operations", f"{examples.many}/s", "extraction")


def rows(ranking: Ranking) -> Sequence[tuple[str, ...]]:
    """The cells of the table, a row for each backbone."""
    return [_row(ranked) for ranked in ranking.backbones]


def _row(ranked: Ranked) -> tuple[str, ...]:
    return (
        f"{ranked.name} ({FRONT})" if ranked.on_front else ranked.name,
        f"{percent(ranked.accuracy.value)} ({percent(ranked.accuracy.low)} to {percent(ranked.accuracy.high)})",
        _behind(ranked),
        "" if ranked.log_me is None else f"{ranked.log_me.value:.2f}",
        f"{ranked.megabytes:.1f} MB",
        "" if ranked.operations is None else amount(ranked.operations),
        "" if ranked.images_per_second is None else f"{ranked.images_per_second:,.0f}",
        f"{ranked.seconds:.1f} s" if ranked.computed else "cached",
    )


def _behind(ranked: Ranked) -> str:
    if ranked.behind_best is None:
        return "the best"
    return points(ranked.behind_best) + (", can't tell apart" if ranked.undecided else "")


def amount(operations: float) -> str:
    """A number of operations, such as 8,174,272,512 as `8.2 G`."""
    for unit, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if operations >= factor:
            return f"{operations / factor:.3g} {unit}"
    return f"{operations:.0f}"
