"""`thaw trace`: where a version comes from, down to each training image, and which versions know an image."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tasks.lineage.example_history import Appearance, ImageHistory
    from tasks.lineage.lineage import Lineage


def trace(
    version: Annotated[
        str | None,
        typer.Argument(
            metavar="VERSION",
            help="A number, an alias, models:/NAME/3 or models:/NAME@champion; left out: the champion.",
        ),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            metavar="PATH", help="Instead: the versions that know this image, a file or a BLAKE3 digest in hex."
        ),
    ] = None,
    graph: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also draw it: a picture (.svg) or a page (.html).")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Say where a model version comes from: commit, data, parameters, packages, machine, runs, and every image that it was trained on.

    What was not kept when an older version was made is said to be not recorded.
    """
    if image is not None:
        if version is not None or graph is not None:
            raise typer.BadParameter("--image looks through every version; leave out VERSION and --graph")
        _trace_image(image, json=json)
        return
    if graph is not None and graph.suffix not in (".svg", ".html"):
        raise typer.BadParameter(f"{graph} is neither .svg nor .html")
    _trace_version(version, graph and graph.absolute(), json=json)


def _trace_version(called: str | None, graph: Path | None, *, json: bool) -> None:
    from flows.cli.terminal import out, print_json
    from flows.project.environment import enter_project

    enter_project()
    from tasks.lineage.lineage import read_lineage
    from tasks.registry.registry import open_registry
    from tasks.registry.version_names import find_version
    from thaw.params.reading import read_params

    registry, version = find_version(open_registry(read_params().registry), called)
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
    images = None
    if lineage.training is not None:
        images = [(one.path, join_labels(one.labels), one.digest.hex()) for one in lineage.training]
    write_text(path, render_page(graph_of(lineage), title, facts_of(lineage), images))


def _trace_image(image: str, *, json: bool) -> None:
    from flows.cli.terminal import print_json
    from flows.project.environment import enter_project
    from tasks.lineage.example_history import digest_of, image_history

    digest = digest_of(image)  # a relative path is the caller's
    enter_project()
    from tasks.project.progress import counted
    from tasks.registry.registry import open_registry
    from thaw.params.reading import read_params

    with counted("trace", "versions") as progress:
        found = image_history(open_registry(read_params().registry), digest, progress)
    if json:
        print_json(found)
    else:
        _tell(found)


def _tell(found: "ImageHistory") -> None:
    from flows.cli.terminal import out, table

    screen = out()
    if found.appearances:
        columns = ("version", "aliases", "trained on", "split", "label", "path")
        screen.print(table(columns, map(_row, found.appearances), whole=columns[:4]))
    else:
        screen.print(
            f"None of {found.versions} versions knows an image with the digest {found.digest}.", soft_wrap=True
        )
    if found.unknown:
        numbers = ", ".join(map(str, found.unknown))
        screen.print(f"Not known of version {numbers}: the MLflow run is gone.", style="yellow", soft_wrap=True)


def _row(one: "Appearance") -> tuple[str, ...]:
    from thaw.dataset.label_sets import join_labels

    trained = {True: "yes", False: "no", None: "not recorded"}[one.trained]
    label = "" if one.labels is None else join_labels(one.labels)
    return (str(one.version), ", ".join(one.aliases), trained, one.split, label, one.path)
