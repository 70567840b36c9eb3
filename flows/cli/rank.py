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
            help="Architectures (their official weights), NAME.random, timm/NAME, hf/ORG/NAME, or paths of weights, separated by commas. Without it: every "
            "backbone on this machine that takes these examples; nothing is downloaded.",
        ),
    ] = "",
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Minutes of one core for features that are not cached, predicted from counted operations and not timed. Backbones beyond it are left out, "
            "and named with their predicted time.",
        ),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds after which ingesting is stopped.")] = 21600,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Rank backbones by linear probes on the examples to learn from, with intervals, size and speed; the test examples are not looked at.

    The plain model, which has no backbone, stands among them. The cheapest backbone that is about as good as the best is recommended; the page
    data/ranking.html shows accuracy against cost.

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
            ranking = find(backbones.split(","), progress, minutes)
    if json:
        print_json(ranking)
    else:
        _say(ranking)


def _say(ranking: "Ranking") -> None:
    from flows.cli.terminal import err, out, table
    from tasks.requests.rank import PAGE
    from thaw.evaluation.backbone_ranking import words
    from thaw.params.values.kind import kind_of
    from thaw.params.values.reading import read_params

    screen, params = out(), read_params()
    columns = words.columns(ranking, kind_of(params).words)
    screen.print(table(columns, words.rows(ranking), whole=("model", "operations", "extraction")))
    for unranked in ranking.unranked:
        err().print(
            f"{unranked.name} could not be ranked: {unranked.reason}", style="red", markup=False, soft_wrap=True
        )
    for left_out in ranking.left_out:
        err().print(f"{left_out.name} was left out: {left_out.reason}", style="yellow", markup=False, soft_wrap=True)
    screen.print(words.how(ranking), style="dim", markup=False)
    for sentence in filter(None, (words.undecided(ranking), words.verdict(ranking))):
        screen.print(sentence, markup=False)
    screen.print(f"As a page: {PAGE}", style="dim", markup=False)
    screen.print("Next:", style="bold")
    chosen, current = ranking.recommended, params.backbone
    if chosen.is_plain:
        screen.print("  thaw config set strategy.kind=plain", markup=False, soft_wrap=True)
    elif current.weights == chosen.weights:
        screen.print(f"  {chosen.name} is the backbone already", markup=False, soft_wrap=True)
    else:
        screen.print(f"  {_switch(chosen, current)}", markup=False, soft_wrap=True)
    screen.print(f"  thaw run       {'without a backbone' if chosen.is_plain else 'with that backbone'}", markup=False)
    screen.print("  thaw cache gc  clears the features of the others, after that", markup=False)


def _switch(chosen: "Ranked", current: "BackboneParams") -> str:
    """The command that selects the backbone and resets the settings of another network to `auto`."""
    from thaw.backbones.backbone import AUTO, BLOCKS

    changes = [f"backbone.weights={chosen.weights}"]
    if current.architecture not in (AUTO, chosen.architecture):
        changes.append("backbone.architecture=auto")
    if not set(current.layers) <= {AUTO, BLOCKS}:
        changes.append("backbone.layers=[auto]")
    return f"thaw config set {' '.join(changes)}"
