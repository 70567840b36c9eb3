"""The parameters of a project that goes on from a model that was fitted without one."""

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tasks.registry.deployed_model import bring_model
from tasks.registry.registry import open_registry
from thaw.notebook.cache import FRAME
from thaw.notebook.storage import Fitted, read_fitted
from thaw.params.sections import RegistryParams
from thaw.params.values.listing import list_settings


def parameters_from(model: str, name: str) -> str:
    """The text of `params.yaml` with the settings and the data of a model. name: of the model in the registry.

    model: a folder of `Model.save`, or the address of a version that `Model.register` made, such as `models:/birds/1`.

    Raises:
        BadArtifact: it is no such model.
        RegistryError, Unreachable: there is no such version, or MLflow does not answer.
    """
    fitted = read_fitted(_folder_of(model))
    params = fitted.params.model_copy(update={"registry": RegistryParams(name=name)})
    nested: dict[str, Any] = {}
    for setting in list_settings(params):
        if setting.changed:
            *sections, last = setting.key.split(".")
            inside = nested
            for section in sections:
                inside = inside.setdefault(section, {})
            inside[last] = setting.value
    stream = io.StringIO()
    yaml = YAML()
    yaml.width = 10_000
    yaml.dump(nested, stream)
    return "".join(f"# {note}\n" for note in _notes(model, fitted)) + stream.getvalue()


def _folder_of(model: str) -> Path:
    path = Path(model).expanduser()
    if ":" not in model or path.exists():
        return path.absolute()
    open_registry(RegistryParams())  # points MLflow at its store
    return bring_model(model)


def _notes(model: str, fitted: Fitted) -> list[str]:
    source = Path(fitted.params.dataset.source)
    notes = [f"The settings and the data of the model {model}, fitted in a notebook by the strategy {fitted.strategy}."]
    if source.name == FRAME:
        notes.append(
            "The data frame lies in the cache as a table; lay it where it stays, and set dataset.source to it."
        )
    elif not source.exists():
        notes.append(f"Its source {source} is not here; set dataset.source to it.")
    return [*notes, "`thaw check` looks at them."]
