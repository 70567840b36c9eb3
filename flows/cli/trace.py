"""`thaw trace`: the lineage of a version down to each training example, and the versions that know an example."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tasks.lineage.example_history import Appearance, ExampleHistory
    from tasks.lineage.lineage import Lineage


def trace(
    version: Annotated[
        str | None,
        typer.Argument(
            metavar="VERSION",
            help="A number, an alias, models:/NAME/3 or models:/NAME@champion; left out: the champion.",
        ),
    ] = None,
    example: Annotated[
        str | None,
        typer.Option(
            "--example",
            "--image",
            metavar="PATH",
            help="Instead: the versions that know this example, a file or a BLAKE3 digest in hex.",
        ),
    ] = None,
    graph: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also draw the lineage: a drawing (.svg) or a page (.html).")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Say where a model version comes from: commit, data, parameters, packages, machine, runs, and every example that it was trained on.

    A fact that was not kept when an older version was made is shown as not recorded.
    """
    if example is not None:
        if version is not None or graph is not None:
            raise typer.BadParameter("--example looks through every version; leave out VERSION and --graph")
        _trace_example(example, json=json)
        return
    if graph is not None and graph.suffix not in (".svg", ".html"):
        raise typer.BadParameter(f"{graph} is neither .svg nor .html")
    _trace_version(version, graph and graph.absolute(), json=json)


def _trace_version(name: str | None, graph: Path | None, *, json: bool) -> None:
    from flows.cli.terminal import out, print_json
    from flows.project.environment import enter_project

    enter_project()
    from tasks.lineage.lineage import read_lineage
    from tasks.registry.registry import open_registry
    from tasks.registry.version_names import find_version
    from thaw.params.values.reading import read_params

    registry, version = find_version(open_registry(read_params().registry), name)
    lineage = read_lineage(registry, version)
    if graph is not None:
        _draw(lineage, graph)
    if json:
        from tasks.lineage.as_json import lineage_json

        print_json(lineage_json(lineage))
        return
    from flows.cli.lineage_tree import tree_of

    out().print(tree_of(lineage))
    if graph is not None:
        out().print(f"Drawn in {graph}", style="dim", soft_wrap=True)


def _draw(lineage: "Lineage", path: Path) -> None:
    from tasks.lineage.graph import graph_of
    from tasks.lineage.wording import facts_of
    from thaw.dataset.label_sets import join_labels
    from thaw.foundation.files.atomic import write_text
    from thaw.lineage.graph import render_page, render_svg

    title = f"Where {lineage.version.name} version {lineage.version.number} comes from"
    if path.suffix == ".svg":
        write_text(path, render_svg(graph_of(lineage), title))
        return
    examples = None
    if lineage.training is not None:
        examples = [(example.path, join_labels(example.labels), example.digest.hex()) for example in lineage.training]
    write_text(path, render_page(graph_of(lineage), title, facts_of(lineage), examples, lineage.words))


def _trace_example(example: str, *, json: bool) -> None:
    from flows.cli.terminal import print_json
    from flows.project.environment import enter_project
    from tasks.lineage.example_history import digest_of, example_history

    digest = digest_of(example)  # a relative path is the caller's
    enter_project()
    from tasks.project.progress import counted
    from tasks.registry.registry import open_registry
    from thaw.params.values.reading import read_params

    with counted("trace", "versions") as progress:
        history = example_history(open_registry(read_params().registry), digest, progress)
    if json:
        print_json(history)
    else:
        _tell(history)


def _tell(history: "ExampleHistory") -> None:
    from flows.cli.terminal import out, table

    screen = out()
    if history.appearances:
        columns = ("version", "aliases", "trained on", "split", "label", "path")
        screen.print(table(columns, map(_row, history.appearances), whole=columns[:4]))
    else:
        screen.print(
            f"None of {history.versions} versions knows an example with the digest {history.digest}.", soft_wrap=True
        )
    if history.unknown:
        numbers = ", ".join(map(str, history.unknown))
        screen.print(
            f"Version {numbers} could not be searched: its MLflow run was deleted.", style="yellow", soft_wrap=True
        )


def _row(appearance: "Appearance") -> tuple[str, ...]:
    from thaw.dataset.label_sets import join_labels

    trained = {True: "yes", False: "no", None: "not recorded"}[appearance.trained]
    label = "" if appearance.labels is None else join_labels(appearance.labels)
    return (str(appearance.version), ", ".join(appearance.aliases), trained, appearance.split, label, appearance.path)
