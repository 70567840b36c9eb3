"""The kind of examples in a backbone's file, read from its header alone, without weights and PyTorch."""

from pathlib import Path

from thaw.foundation.errors import BadParameters
from thaw.foundation.files.content import metadata_in
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
    stated = metadata_in(weights).get("preprocessing")
    return UNSTATED if stated is None else kind_in(stated)
