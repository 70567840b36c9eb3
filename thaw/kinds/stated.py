"""The kind of examples in a backbone's file, read from its header alone, without weights and PyTorch."""

import json
from pathlib import Path

from thaw.foundation.errors import BadParameters
from thaw.foundation.files.content import is_safetensors
from thaw.kinds.kind import Kind
from thaw.kinds.registry import UNSTATED, kind_in, kind_named

AUTO = "auto"


def settle_kind(wanted: str, weights: Path) -> Kind:
    """The kind of a project's examples: the kind that `dataset.kind` names, or for `auto` the kind that the backbone takes.

    Raises:
        BadParameters: there is no such kind, or the backbone takes another.
    """
    stated = kind_stated_in(weights)
    if wanted == AUTO:
        return kind_named(stated or UNSTATED)
    kind = kind_named(wanted)
    if stated is not None and stated != wanted:
        raise BadParameters(
            f"dataset.kind: {wanted} given, and the backbone {weights} takes {kind_named(stated).words.many}; "
            f"name weights that take {kind.words.many}, or set dataset.kind=auto"
        )
    return kind


def kind_stated_in(weights: Path) -> str | None:
    """The kind that a file of weights states; `images` if it states none, such as torchvision's files; None: there is no such file."""
    if not weights.is_file():
        return None
    stated = _metadata(weights).get("preprocessing") if is_safetensors(weights) else None
    return kind_in(stated) if isinstance(stated, str) else UNSTATED


def _metadata(path: Path) -> dict[str, object]:
    """The metadata of a safetensors file; empty if the file is damaged, because the loading of the weights reports that."""
    with path.open("rb") as file:
        header = file.read(int.from_bytes(file.read(8), "little"))
    try:
        metadata = json.loads(header).get("__metadata__")
    except (ValueError, AttributeError):
        return {}
    return metadata if isinstance(metadata, dict) else {}
