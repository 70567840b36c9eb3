"""`thaw check`: whether a run can succeed, without running a stage."""

from typing import Annotated

import typer


def check(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON array on standard output.")] = False,
) -> None:
    """Check parameters, data, weights and environment; computes nothing. Ends with 1 if a check fails."""
    from flows.cli.exits import Exit
    from flows.cli.terminal import out, print_json, table
    from flows.project.environment import enter_project
    from flows.runs.findings import Verdict
    from flows.runs.preflight import check_all

    findings = check_all(enter_project())
    failed = [finding for finding in findings if finding.verdict is Verdict.FAIL]
    if json:
        print_json(findings)
    else:
        # What needs a hand stands last, next to the prompt.
        ordered = sorted(findings, key=lambda finding: list(Verdict).index(finding.verdict))
        rows = ((finding.verdict, finding.check, finding.says, finding.advice) for finding in ordered)
        listing = table(("", "check", "found", "what to do"), rows, whole=["", "check"])
        out().print(listing)
        out().print(
            f"{len(failed)} {'check fails' if len(failed) == 1 else 'checks fail'}: {', '.join(finding.check for finding in failed)}."
            if failed
            else "Ready: `thaw run`.",
            style="red" if failed else "green",
        )
    raise typer.Exit(Exit.MENDABLE if failed else Exit.DONE)
