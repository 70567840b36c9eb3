"""A section of parameters in a YAML file of its own."""

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from thaw.foundation.errors import BadParameters
from thaw.params.sections.section import Section

_Read = TypeVar("_Read", bound=Section)


def read_section(path: Path, section: type[_Read]) -> _Read:
    """The values of a file, checked.

    Raises:
        BadParameters: the file is missing, or has values that are not allowed.
    """
    try:
        return section.model_validate(YAML(typ="safe").load(path.read_text(encoding="utf-8")))
    except (OSError, YAMLError, ValidationError) as error:
        raise BadParameters(f"{path}: {error}") from error
