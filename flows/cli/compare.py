"""`thaw compare`: the transfer certificate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from thaw.kinds.kind import Words
    from thaw.strategies.certificate.record import Certificate

EVERY = "linear,mlp,knn,cut,last_blocks,lora,full"


def compare(
    strategies: Annotated[
        str | None,
        typer.Option(
            help=f"The strategies to compare, separated by commas; if left out, those of params.yaml, or else {EVERY}, and zero_shot with a text tower.",
            show_default=False,
        ),
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Request no certificate any more; later runs make none.")] = False,
    across: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Leave out each value of a column of dataset.slices in turn, and say what another one can expect; no certificate is made.",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds after which a stage is stopped.")] = 86400,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Let every strategy learn from the same examples, and certify whether transfer helped.

    The command writes compare.strategies into params.yaml, so that later runs keep the certificate up to date. compare.minutes limits the minutes of
    fine-tuning; compare.seeds sets how often each strategy is repeated. A stopped comparison continues where it stopped.
    """
    from flows.cli.across import compare_across
    from flows.cli.refreshed import refreshed
    from flows.cli.terminal import err, out
    from flows.project.environment import enter_project
    from thaw.foundation.errors import BadParameters
    from thaw.params.values.reading import read_params

    root = enter_project()
    if across is not None:
        if off or strategies is not None:
            raise BadParameters(
                "--across goes alone: it compares sources, and no strategies; leave --strategies and --off out"
            )
        compare_across(root, across.strip(), timeout, json)
        return
    params = read_params()
    names = [] if off else _strategies(strategies, params.compare.strategies, root / params.backbone.weights)
    if _configure(names, root):
        err().print(f"params.yaml: compare.strategies is [{', '.join(names)}] now", style="dim", markup=False)
    if off:
        out().print("No certificate is requested any more; `thaw run` updates the report.")
        return
    with refreshed(root, "evaluate", timeout):
        _tell(root, json=json)


def _tell(root: Path, *, json: bool) -> None:
    """Print the certificate of the project."""
    from flows.cli.terminal import print_json
    from tasks.project.paths import CERTIFICATE
    from thaw.params.values.kind import kind_of
    from thaw.params.values.reading import read_params
    from thaw.strategies.certificate.record import as_json, read_certificate

    certificate = read_certificate(root / CERTIFICATE)
    assert certificate is not None
    if json:
        print_json(as_json(certificate))
    else:
        _say(certificate, kind_of(read_params()).words)


def _strategies(option: str | None, configured: tuple[str, ...], weights: Path) -> list[str]:
    """The strategies to compare; zero-shot is among all of them where a text tower lies beside the weights."""
    from thaw.params.values.places import tower_place

    if option is not None:
        return [name.strip() for name in option.split(",") if name.strip()]
    return list(configured) or [*EVERY.split(","), *(["zero_shot"] if tower_place(weights).is_dir() else [])]


def _configure(strategies: list[str], root: Path) -> bool:
    """Check the strategies and write them into params.yaml; True if the file changed."""
    from flows.project.edit_params import edit, read_text
    from thaw.foundation.files.atomic import write_text
    from thaw.params.values.reading import PARAMS

    before = read_text(root / PARAMS)
    after = edit(before, [f"compare.strategies=[{', '.join(strategies)}]"])
    if after != before:
        write_text(root / PARAMS, after)
    return after != before


def _say(certificate: "Certificate", examples: "Words") -> None:
    from flows.cli.terminal import out, table
    from tasks.project.paths import REPORT
    from thaw.evaluation.certificate import words
    from thaw.pages.layout import percent

    screen = out()
    screen.print()
    screen.print(words.verdict(certificate, examples), style="bold", markup=False)
    rows = [
        (
            _name(entry.name, words.followed(certificate)),
            *(percent(value.value) for value in words.scores(certificate, entry)),
            words.lead_of(certificate, entry),
            f"{entry.minutes:.2f}",
            "" if entry.megabytes is None else f"{entry.megabytes:.2f}",
        )
        for entry in certificate.entries
    ]
    measured = ("strategy", *words.headings(certificate), "over the linear head")
    screen.print(table((*measured, "minutes", "MB"), rows, whole=measured))
    for ruling in certificate.rulings:
        screen.print(words.line(certificate, ruling, examples), markup=False)
    for entry in certificate.skipped:
        screen.print(f"{entry.name} was left out: {entry.reason}", style="dim", markup=False)
    for remark in words.remarks(certificate, examples):
        screen.print(remark, style="dim", markup=False)
    page = REPORT / "certificate.html"
    screen.print(f"With figures: {page}", style="dim", soft_wrap=True, markup=False)


def _name(name: str, followed: str) -> str:
    return name.replace("_", " ") + (" *" if name == followed else "")
