"""The examples that a project can begin with, and the parameters of each."""

import re
from pathlib import Path

from thaw.foundation.errors import BadParameters
from thaw.foundation.files.shipped import shipped

EXAMPLES = {
    "digits": Path("params.yaml"),
    "own": Path("examples/own_folder.yaml"),
    "hymenoptera": Path("examples/hymenoptera.yaml"),
    "chest_xray": Path("examples/chest_xray.yaml"),
    "texts": Path("examples/texts.yaml"),
    "sms_spam": Path("examples/sms_spam.yaml"),
    "spoken_digits": Path("examples/spoken_digits.yaml"),
    "wake_word": Path("examples/wake_word.yaml"),
}
"""Names of examples, and their parameters in Thaw's repository. The first one needs neither files nor a network."""
DEFAULT = "digits"
_OF_A_CLONE = re.compile(r"^#.*`cp examples/.*\n", re.MULTILINE)
_UNFIT = re.compile(r"[^\w-]+")
_NAME = re.compile(r"(?<=registry: \{name: )[\w-]+")


def parameters_of(example: str, name: str) -> str:
    """The text of `params.yaml`; `name` is the model's name in the registry.

    Raises:
        BadParameters: there is no such example; the message lists them.
    """
    if example not in EXAMPLES:
        raise BadParameters(f"there is no example `{example}`; the examples are {', '.join(EXAMPLES)}")
    text = shipped(EXAMPLES[example]).read_text(encoding="utf-8")
    return _NAME.sub(name, _OF_A_CLONE.sub("", text))


def model_name(folder: str) -> str:
    """A name for the registry, from the name of the project's folder."""
    return _UNFIT.sub("-", folder).strip("-") or "model"


def notes_of(example: str) -> tuple[str, ...]:
    """What the example's parameters say at their head, a line each."""
    return notes_in(parameters_of(example, DEFAULT))


def notes_in(parameters: str) -> tuple[str, ...]:
    """What the text of a `params.yaml` says at its head, a line each."""
    lines = parameters.splitlines()
    head = lines[: next(number for number, line in enumerate(lines) if not line.startswith("#"))]
    return tuple(line.removeprefix("#").strip() for line in head)
