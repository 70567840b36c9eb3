"""Edits of `params.yaml`: the whole content is checked before it is written, and comments are kept."""

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from thaw.backbones.converting.official_names import file_of, is_official
from thaw.backbones.providers.names import TORCHVISION, provided
from thaw.foundation.errors import BadParameters
from thaw.params.values.places import BUILTIN_SOURCES, NAMED_WEIGHTS, SHIPPED_WEIGHTS, named_shipped
from thaw.params.values.reading import PARAMS, check_params

_BUILTIN = {
    "digits": "digits",
    "hymenoptera": "hymenoptera",
    "sms_spam": "sms_spam/sms_spam.csv",
    "spoken_digits": "spoken_digits",
}
"""Short names of built-in sets, and their places."""
_WEIGHTS_NAME = re.compile(r"\w+(_Weights\.\w+|\.random)")


def edit(text: str, assignments: Sequence[str]) -> str:
    """`params.yaml` with `KEY=VALUE` assignments made; all else stays as it is, comments too.

    Values are YAML: `null`, `0.5`, `[0.1, 1]`, `linear`. Two shorthands: `dataset.source=digits` stands for
    `data/sources/digits`, `backbone.weights=ResNet18_Weights.IMAGENET1K_V1` for the file of that name below
    `data/weights`. `~` at the beginning of a value is the home folder.

    Raises:
        BadParameters: an assignment is no `KEY=VALUE`, or the whole would not be valid; then nothing is made.
    """
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    try:
        document = yaml.load(text)
    except YAMLError as error:
        raise BadParameters(f"{PARAMS} is not valid YAML: {error}") from error
    document = CommentedMap() if document is None else document
    for assignment in assignments:
        key, value = _parse(assignment)
        _assign(document, key, value)
    check_params(YAML(typ="safe").load(_dump(yaml, document)), f"{PARAMS} with {' '.join(assignments)}")
    return _dump(yaml, document)


def _parse(assignment: str) -> tuple[str, object]:
    key, separator, text = assignment.partition("=")
    if not separator or not key:
        raise BadParameters(f"`{assignment}` is not KEY=VALUE, such as strategy.kind=mlp")
    try:
        value: object = YAML(typ="safe").load(text)
    except YAMLError as error:
        raise BadParameters(f"{key}: `{text}` is not a YAML value ({str(error).splitlines()[0]})") from error
    return key.strip(), _expand(key.strip(), value)


def _expand(key: str, value: object) -> object:
    if key == "dataset.source" and isinstance(value, str) and value in _BUILTIN:
        return (BUILTIN_SOURCES / _BUILTIN[value]).as_posix()
    if key == "backbone.weights" and value in SHIPPED_WEIGHTS:
        return named_shipped(str(value)).as_posix()
    if key == "backbone.weights" and isinstance(value, str) and _WEIGHTS_NAME.fullmatch(value):
        return (NAMED_WEIGHTS / f"{value}.pth").as_posix()
    if key == "backbone.weights" and isinstance(value, str):
        return _weights(value)
    if isinstance(value, str) and value.startswith("~"):  # shells leave `KEY=~/photos` as it is
        return str(Path(value).expanduser())
    return value


def _weights(name: str) -> str:
    """The file of a name of weights below `data/weights`; any other text is a path, and stays as it is."""
    if (own := provided(name)) is not None:
        return (NAMED_WEIGHTS / own.file).as_posix()
    if name.startswith(TORCHVISION):
        # torchvision takes seconds to load, and alone knows which weights it recommends for a network.
        from thaw.backbones.official_weights import weights_of

        return weights_of(name).as_posix()
    if is_official(name):
        return (NAMED_WEIGHTS / file_of(name)).as_posix()
    return str(Path(name).expanduser()) if name.startswith("~") else name


def _assign(document: Any, key: str, value: object) -> None:
    *sections, name = key.split(".")
    place = document
    for section in sections:
        if not isinstance(place, dict) or not isinstance(place.get(section), dict | None):
            raise BadParameters(f"{key}: no such key; `{section}` holds a value, not a section")
        if place.get(section) is None:
            place[section] = CommentedMap()
        place = place[section]
    if not isinstance(place, dict):
        raise BadParameters(f"{PARAMS} holds no keys; it should begin like `dataset:`")
    place[name] = value


def _dump(yaml: YAML, document: object) -> str:
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def read_text(path: Path = PARAMS) -> str:
    """The text of `params.yaml`.

    Raises:
        BadParameters: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadParameters(f"{path} cannot be read ({error})") from error
