"""`thaw check`: whether a run can go well, without running anything."""

from typing import Annotated

import typer


def check(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON array on standard output.")] = False,
) -> None:
    """Check parameters, data, weights and environment; computes nothing. Ends with 1 if a check fails."""
    from flows.cli.exits import Exit
    from flows.cli.terminal import out, print_json, table
    from flows.project.environment import enter_project
    from flows.runs.preflight import Verdict, check_all

    findings = check_all(enter_project())
    failed = [finding for finding in findings if finding.verdict is Verdict.FAIL]
    if json:
        print_json(findings)
    else:
        rows = ((one.verdict, one.check, one.says, one.advice) for one in findings)
        made = table(("", "check", "found", "what to do"), rows, whole=["", "check"])
        out().print(made)
        out().print(
            f"{len(failed)} checks fail." if failed else "Ready: `thaw run`.",
            style="red" if failed else "green",
        )
    raise typer.Exit(Exit.MENDABLE if failed else Exit.DONE)
