"""`thaw compare --across`: what another site can expect."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thaw.foundation.statistics.bootstrap import Estimate
    from thaw.strategies.across_sources import Across


def compare_across(root: Path, column: str, timeout: float, json: bool) -> None:
    """Bring the features up to date, leave out each source of a column in turn, and print the result."""
    from flows.cli.refreshed import refreshed
    from flows.cli.terminal import print_json

    with refreshed(root, "extract", timeout):
        from tasks.requests.across import compare_sources

        across = compare_sources(column)
    if json:
        print_json(across)
    else:
        _say(across)


def _say(across: "Across") -> None:
    from flows.cli.terminal import out, table
    from tasks.requests.across import ACROSS
    from thaw.pages.layout import percent, points
    from thaw.targets.target import target_named

    def shown(estimate: "Estimate") -> str:
        return f"{percent(estimate.value)} ({percent(estimate.low)} to {percent(estimate.high)})"

    screen, title = out(), target_named(across.target).title
    expected = across.expected
    screen.print(
        f"Another {across.column} can expect {title} {percent(expected.value)}: it lies between {percent(expected.low)} and {percent(expected.high)}, "
        f"as far as {len(across.sources)} sources show ({100 * across.confidence:g} %).",
        style="bold",
        markup=False,
    )
    columns = (across.column, "examples", "groups", f"{title}, unseen", "seen", "lost")
    rows = [
        (each.source, str(each.rows), str(each.groups), shown(each.unseen), shown(each.seen), points(each.loss))
        for each in across.sources
    ]
    screen.print(table(columns, rows, whole=("examples", "groups")))
    for each in across.left_out:
        screen.print(f"{each.source} was not left out: {each.reason}.", style="dim", markup=False)
    notes = (
        "Unseen: the head learnt from the other sources alone. Seen: from examples of the same source too, out of fold."
    )
    unstated = f" {across.unstated} examples state no {across.column}." if across.unstated else ""
    screen.print(f"{notes}{unstated} All of it: {ACROSS}", style="dim", soft_wrap=True, markup=False)
