"""`thaw models`: the versions in the registry, their aliases and figures; `thaw models log`: every move of the alias `champion`."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tasks.registry.listing import Listing
    from tasks.registry.registry import Event, ModelVersion


app = typer.Typer(
    help="List the versions of the model, the newest first; `log` shows every move of the alias `champion`.",
    epilog="Example: thaw models --json",
    invoke_without_command=True,
    rich_markup_mode=None,
)
COLUMNS = ("version", "aliases", "test", "rows", "created", "promotion")
WHOLE = COLUMNS[:-1]
"""The columns that are never broken, so that they fit 80 columns together with the last."""
_FIGURES = ("accuracy", "exact_match", "macro_f1", "misses")
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


@app.callback()
def models(
    context: typer.Context,
    history: Annotated[bool, typer.Option("--history", hidden=True)] = False,
    json: Json = False,
) -> None:
    """List the versions of the model, the newest first; `log` shows every move of the alias `champion`."""
    if context.invoked_subcommand is None:
        if history:  # the former name of `thaw models log`
            log(json)
        else:
            _list(json)


@app.command(short_help="Show every promotion, refusal and rollback.", epilog="Example: thaw models log --json")
def log(json: Json = False) -> None:
    """Show every promotion, refusal, rollback and release, the newest last: who, when, why, what the gates said, and the flow run.

    A move by MLflow's own client or pages is there too, with the time when Thaw noticed it.
    """
    from flows.cli.terminal import out, print_json, table

    listing = _listing()
    events = listing.history
    if json:
        print_json({"name": listing.name, "history": events})
    elif not events:
        out().print(f"{listing.name} has no history yet; `thaw promote` makes the first entry.")
    else:
        columns = ("when (UTC)", "what", "who", "flow run", "why")
        out().print(table(columns, (_event_row(event) for event in events), whole=("what", "flow run")))


def _list(json: bool) -> None:
    from flows.cli.terminal import out, print_json, table
    from tasks.registry.standing import standing

    listing = _listing()
    if json:
        print_json({"name": listing.name, "versions": [_as_json(version) for version in listing.versions]})
    elif not listing.versions:
        out().print(f"{listing.name} has no versions yet; `thaw run` makes the first.")
    else:
        out().print(f"{listing.name}", style="bold")
        rows = (row_of(version, standing(listing.history, version.number)) for version in listing.versions)
        out().print(table(COLUMNS, rows, whole=WHOLE))


def _listing() -> "Listing":
    from flows.project.environment import enter_project
    from tasks.registry.listing import read_listing
    from thaw.params.values.reading import read_params

    enter_project()
    return read_listing(read_params().registry)


def row_of(version: "ModelVersion", standing: str) -> tuple[str, ...]:
    """The cells of a version, in the order of `COLUMNS`; what was not measured is left out."""
    tags = version.tags
    created = version.created.astimezone().strftime("%Y-%m-%d\n%H:%M")
    named = ((name.replace("_", " ").replace("f1", "F1"), tags.get(f"thaw.test.{name}")) for name in _FIGURES)
    figures = "\n".join(f"{name} {float(value):.3f}" for name, value in named if value is not None)
    return (str(version.number), "\n".join(version.aliases), figures, tags.get("thaw.test.n", ""), created, standing)


def _event_row(event: "Event") -> tuple[str, ...]:
    former = "" if event.former is None else f", was {event.former}"
    move = f"{event.kind} {event.version}{former}"
    why = event.reason if event.override else f"{event.reason}{_gates(event)}"
    return (event.when[:16].replace("T", " "), move, event.who, event.flow_run[:8], why)


def _gates(event: "Event") -> str:
    """The outcome of the gates, printed after the reason; empty for an event without gates."""
    if not event.gates:
        return ""
    refusing = ", ".join(outcome.gate for outcome in event.gates if outcome.refuses)
    count = sum(outcome.verdict != "not asked" for outcome in event.gates)
    return f" (refused by {refusing})" if refusing else f" (no gate of {count} refuses)"


def _as_json(version: "ModelVersion") -> dict[str, object]:
    return {
        "version": version.number,
        "aliases": list(version.aliases),
        "created": version.created.isoformat(),
        "run_id": version.run_id,
        "uri": version.uri,
        "tags": dict(version.tags),
    }
