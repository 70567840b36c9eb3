"""`thaw rank`: the backbones ordered by how well they do on these data, with the cost of each."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from thaw.params.sections import BackboneParams
    from thaw.strategies.backbone_ranking import Ranked, Ranking


def rank(
    backbones: Annotated[
        str,
        typer.Option(
            "--backbones",
            metavar="NAME,NAME,...",
            help="Architectures (their official weights), NAME.random, or paths of weights, separated by commas.",
        ),
    ],
    timeout: Annotated[float, typer.Option(min=1, help="Seconds after which ingesting is stopped.")] = 21600,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Rank backbones by linear probes on the examples to learn from, with intervals, size and speed; the test examples are not looked at.

    The plain model, which has no backbone, stands among them.

    Features are cached like those of a run: nothing is computed twice, and the features of the backbone that you choose are there already. `thaw cache gc`
    deletes the features of the other backbones.
    """
    from flows.cli.refreshed import refreshed
    from flows.cli.terminal import print_json
    from flows.project.environment import enter_project

    with refreshed(enter_project(), "ingest", timeout):
        from tasks.project.progress import counted
        from tasks.requests.rank import rank as find

        with counted("rank", "examples") as progress:
            ranking = find(backbones.split(","), progress)
    if json:
        print_json(ranking)
    else:
        _say(ranking)


def _say(ranking: "Ranking") -> None:
    from flows.cli.terminal import err, out, table
    from thaw.pages.layout import percent
    from thaw.params.values.reading import read_params
    from thaw.targets.target import target_named

    screen = out()
    columns = (
        "backbone",
        target_named(ranking.target).title,
        "behind the best",
        "LogME",
        "model",
        "examples/s",
        "extraction",
    )
    rows = [
        (
            ranked.name,
            f"{percent(ranked.accuracy.value)} ({percent(ranked.accuracy.low)} to {percent(ranked.accuracy.high)})",
            _behind(ranked),
            "" if ranked.log_me is None else f"{ranked.log_me.value:.2f}",
            f"{ranked.megabytes:.1f} MB",
            "" if ranked.images_per_second is None else f"{ranked.images_per_second:,.0f}",
            f"{ranked.seconds:.1f} s" if ranked.computed else "cached",
        )
        for ranked in ranking.backbones
    ]
    screen.print(table(columns, rows, whole=("model", "extraction")))
    for unranked in ranking.unranked:
        err().print(
            f"{unranked.name} could not be ranked: {unranked.reason}", style="red", markup=False, soft_wrap=True
        )
    screen.print(
        f"Linear probes on {ranking.rows} examples of train and validation, {ranking.folds} folds drawn {ranking.repeats} times, "
        f"{100 * ranking.confidence:g} % intervals; the test examples were not looked at.",
        style="dim",
        markup=False,
    )
    best, *others = ranking.backbones
    if undecided := [ranked.name for ranked in others if ranked.undecided]:
        screen.print(
            f"These examples can't tell {best.name} apart from {', '.join(undecided)}: take the smaller or the faster.",
            markup=False,
        )
    screen.print("Next:", style="bold")
    current = read_params().backbone
    if best.is_plain:
        screen.print("  thaw config set strategy.kind=plain", markup=False, soft_wrap=True)
    elif current.weights == best.weights:
        screen.print(f"  {best.name} is the backbone already", markup=False, soft_wrap=True)
    else:
        screen.print(f"  {_switch(best, current)}", markup=False, soft_wrap=True)
    screen.print(f"  thaw run       {'without a backbone' if best.is_plain else 'with that backbone'}", markup=False)
    screen.print("  thaw cache gc  clears the features of the others, after that", markup=False)


def _behind(ranked: "Ranked") -> str:
    from thaw.pages.layout import points

    if ranked.behind_best is None:
        return "the best"
    return points(ranked.behind_best) + (", can't tell apart" if ranked.undecided else "")


def _switch(best: "Ranked", current: "BackboneParams") -> str:
    """The command that selects the best backbone and resets the settings of another network to `auto`."""
    from thaw.backbones.backbone import AUTO, BLOCKS

    changes = [f"backbone.weights={best.weights}"]
    if current.architecture not in (AUTO, best.architecture):
        changes.append("backbone.architecture=auto")
    if not set(current.layers) <= {AUTO, BLOCKS}:
        changes.append("backbone.layers=[auto]")
    return f"thaw config set {' '.join(changes)}"
