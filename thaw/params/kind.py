"""The kind of a project's examples, as its parameters and its backbone say it."""

from pathlib import Path

from thaw.kinds.kind import Kind
from thaw.kinds.stated import settle_kind
from thaw.params.sections import Params


def kind_of(params: Params, root: Path = Path()) -> Kind:
    """What `dataset.kind` names, or what the backbone takes; root: the project's folder.

    Raises:
        BadParameters: there is no such kind, or the backbone takes another.
    """
    return settle_kind(params.dataset.kind, root / params.backbone.weights)
