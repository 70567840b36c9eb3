"""The kind of a project's examples, by its parameters and its backbone."""

from pathlib import Path

from thaw.kinds.kind import Kind, Showing
from thaw.kinds.stated import settle_kind
from thaw.kinds.views import expand_views, named_augmentation
from thaw.params.sections import BackboneParams, Params
from thaw.params.values.places import laid


def shown_as_read(kind: Kind, params: BackboneParams) -> Kind:
    """The kind whose previews show examples as the backbone reads them: by its windows, and its frame of several."""
    return kind.shown_by(params.windows, params.frame) if isinstance(kind, Showing) else kind


def kind_of(params: Params, root: Path = Path()) -> Kind:
    """What `dataset.kind` names, or what the backbone takes; root: the project's folder.

    Raises:
        BadParameters: there is no such kind, the backbone takes another, or the kind has not the views and the augmentation that the parameters name.
    """
    kind = settle_kind(params.dataset.kind, laid(root / params.backbone.weights))
    expand_views((*params.extract.views, *params.head.views), kind)
    named_augmentation(params.finetune.augment, kind)
    return kind
