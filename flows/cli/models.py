"""`thaw models`: the versions in the registry, their aliases and figures."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tasks.registry import Event, ModelVersion


def models(
    history: Annotated[
        bool, typer.Option("--history", help="Show every move of the alias `champion` instead.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """List the versions of the model, the newest first."""
    from flows.cli.terminal import out, print_json, table
    from flows.environment import enter_project
    from tasks.registry import open_registry
    from thaw.params import read_params

    enter_project()
    registry = open_registry(read_params().registry)
    if history:
        events = registry.history()
        if json:
            print_json({"name": registry.name, "history": events})
            return
        rows = (_event_row(event) for event in events)
        out().print(table(("when", "what", "version", "before", "who", "why"), rows, whole=["when", "what"]))
        return
    versions = registry.versions()
    if json:
        print_json({"name": registry.name, "versions": [_as_json(version) for version in versions]})
    elif not versions:
        out().print(f"{registry.name} has no versions yet; `thaw run` makes the first.")
    else:
        columns = ("version", "aliases", "accuracy", "macro F1", "test images", "created", "promotion")
        out().print(f"{registry.name}", style="bold")
        out().print(table(columns, (_row(version) for version in versions), whole=columns[:6]))


def _row(version: "ModelVersion") -> tuple[str, ...]:
    tags = version.tags
    created = version.created.astimezone().strftime("%Y-%m-%d %H:%M")
    figures = (_short(tags.get("thaw.test.accuracy")), _short(tags.get("thaw.test.macro_f1")))
    said = " ".join(filter(None, (tags.get("thaw.promotion"), tags.get("thaw.reason"))))
    return (str(version.number), ", ".join(version.aliases), *figures, tags.get("thaw.test.n", ""), created, said)


def _short(number: str | None) -> str:
    return "" if number is None else f"{float(number):.3f}"


def _event_row(event: "Event") -> tuple[str, ...]:
    former = "" if event.former is None else str(event.former)
    return (event.when, event.kind, str(event.version), former, event.who, event.reason)


def _as_json(version: "ModelVersion") -> dict[str, object]:
    return {
        "version": version.number,
        "aliases": list(version.aliases),
        "created": version.created.isoformat(),
        "run_id": version.run_id,
        "uri": version.uri,
        "tags": dict(version.tags),
    }
