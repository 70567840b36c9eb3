"""The readers of `params.yaml`, which leaves most keys out, and of `data/params.yaml`, which has a value for every key.

A person writes the first file. The stage `settings` writes the second, and every other stage reads it, so DVC sees each value that a stage depends on, even
a default.
"""

import io
from collections.abc import Iterator, Mapping
from functools import reduce
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from thaw.foundation.errors import BadParameters
from thaw.foundation.files.atomic import write_text
from thaw.params.sections import Params

PARAMS = Path("params.yaml")
MOVED = {
    "head.kind": "strategy.kind",
    "head.layer": "strategy.layer",
    "evaluate.bootstrap": "statistics.bootstrap",
    "promotion.bootstrap": "statistics.bootstrap",
    "evaluate.confidence": "statistics.confidence",
    "openness.confidence": "statistics.confidence",
    "promotion.confidence": "statistics.confidence",
    "watch.confidence": "statistics.confidence",
}
"""Former keys and the keys that replace them."""


def read_params(path: Path = PARAMS) -> Params:
    """Read and check the whole `params.yaml`, before any work.

    Raises:
        BadParameters: the file has errors; each line of the message names a key, the given value and the allowed values.
    """
    try:
        values = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadParameters(
            f"{path} cannot be read ({error.strerror}); run the command in the project's folder"
        ) from error
    except YAMLError as error:
        raise BadParameters(f"{path} is not valid YAML: {error}") from error
    return check_params(values if values is not None else {}, str(path))


def write_settings(params: Params, path: Path) -> None:
    """Write every value, atomically; the same parameters give the same bytes."""
    stream = io.StringIO()
    yaml = YAML()
    yaml.width = 10_000
    yaml.dump(params.model_dump(mode="json"), stream)
    write_text(path, stream.getvalue())


def read_settings(path: Path) -> Params:
    """Read the values of `write_settings`. No default replaces a missing value, because DVC would not see it.

    Raises:
        BadParameters: the file is missing or damaged, or lacks a value.
    """
    try:
        values = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, YAMLError) as error:
        raise BadParameters(f"{path} cannot be read ({error}); run `thaw run --stage settings` to make it") from error
    missing = [key for key, _ in leaves(Params) if not holds(values, key)]
    if missing:
        raise BadParameters(f"{path} lacks {', '.join(missing)}; run `thaw run --stage settings` to make it again")
    return check_params(values, str(path))


def holds(values: object, key: str) -> bool:
    """Whether loaded values have a value, or null, at a dotted key."""
    for part in key.split("."):
        if not isinstance(values, Mapping) or part not in values:
            return False
        values = values[part]
    return True


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every parameter with its whole key, without the sections."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from leaves(kind, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def check_params(values: object, origin: str) -> Params:
    """Parse already loaded values; `origin` names them in errors.

    Raises:
        BadParameters: see `read_params`.
    """
    try:
        params = Params.model_validate(values)
    except ValidationError as error:
        wrong = "\n".join(f"  {_say(problem)}" for problem in error.errors())
        raise BadParameters(f"{origin} has values that are not allowed:\n{wrong}") from error
    if homes := [f"  {line}" for line in _homes(params)]:
        raise BadParameters(f"{origin} has values that are not allowed:\n" + "\n".join(homes))
    return params


def _homes(params: Params) -> Iterator[str]:
    """A line for each path that begins with `~`, which DVC does not know."""
    for key, _ in leaves(Params):
        value = reduce(getattr, key.split("."), params)
        if isinstance(value, str) and value.startswith("~"):
            yield f"{key}: {value!r} given; write the whole path, as `thaw config set {key}={value}` does"


def _say(problem: object) -> str:
    """One line for one pydantic problem: the key, the given value, the allowed values."""
    assert isinstance(problem, dict)
    keys = list(problem["loc"])
    name = ".".join(str(key) for key in keys) or "the file"
    if name in MOVED:
        return f"{name}: this is {MOVED[name]} now; move it there"
    if problem["type"] == "extra_forbidden":
        return f"{name}: no such key; {_known_keys(keys[:-1])}"
    return f"{name}: {problem['input']!r} given; {problem['msg'][0].lower()}{problem['msg'][1:]}"


def _known_keys(section: list[str | int]) -> str:
    model: type[BaseModel] = Params
    for key in section:
        annotation = model.model_fields[str(key)].annotation
        assert isinstance(annotation, type) and issubclass(annotation, BaseModel)
        model = annotation
    where = f"{'.'.join(str(key) for key in section)} has" if section else "there are"
    return f"{where} {', '.join(model.model_fields)}"
