"""`thaw register`: a version of the last tracked model."""

from typing import Annotated

import typer


def register(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Make a version of the last tracked model, and give it the alias `challenger`.

    `thaw run` does this itself. After `dvc repro` or `dvc exp apply`, this command says that the result is meant to be used.
    """
    from flows.cli.terminal import out, print_json
    from flows.project.environment import enter_project
    from tasks.registry.registering import register as make
    from thaw.params.values.reading import read_params

    enter_project()
    registered = make(read_params())
    if json:
        print_json(registered)
    else:
        out().print(
            f"{registered.model_uri} is the challenger; `thaw promote` asks the gates about it.",
            style="green",
            soft_wrap=True,
        )
