"""`thaw doctor`: what a report of a defect needs, without names, paths or data."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGES = (
    "thaw", "torch", "torchvision", "numpy", "pyarrow", "scikit-learn", "prefect", "dvc", "mlflow", "openvino",
    "onnxruntime", "ray", "transformers", "timm", "soundfile", "pydicom",
)  # fmt: skip


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Print versions, the machine, and the parameters that are numbers or choices. Nothing of it names your data, folders or models."""
    from flows.cli.terminal import print_json

    facts = dict(_facts())
    if json:
        print_json(facts)
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        typer.echo(f"{name:<{width}}  {value}")


def _facts() -> "Iterator[tuple[str, str]]":
    from thaw.lineage.surroundings import installed_packages, this_machine

    machine = this_machine()
    yield "system", machine.system
    yield "python", machine.python
    yield "processor", f"{machine.processor}, {machine.cores} cores, {machine.memory_gb} GB"
    yield "gpu", ", ".join(machine.gpus) or "none"
    packages = {name.casefold(): version for name, version in installed_packages().items()}
    yield from ((name, packages.get(name, "not installed")) for name in _PACKAGES)
    yield from _project()


def _project() -> "Iterator[tuple[str, str]]":
    """The project's changed parameters without texts that a person chose, and its stages; a sentence if there is no project."""
    from flows.dvc.stage_parameters import ran, stage_names
    from flows.project.environment import enter_project
    from flows.project.errors import NotAProject
    from thaw.foundation.errors import BadParameters
    from thaw.params.values.listing import list_settings
    from thaw.params.values.reading import read_params

    try:
        root = enter_project()
        settings = list_settings(read_params())
    except NotAProject:
        yield "project", "none here"
        return
    except BadParameters:
        yield "project", "params.yaml is not valid: `thaw check` says why"
        return
    for setting in settings:
        if setting.changed:
            told = isinstance(setting.value, bool | int | float) or setting.choices
            yield setting.key, str(setting.value) if told else "changed"
    done = ran(root)
    yield "stages that ran", ", ".join(name for name in stage_names(root) if name in done) or "none"
