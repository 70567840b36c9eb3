"""Fixed views of an example, on which a head may train beside the plain example; each is cached like the example itself."""

from collections.abc import Iterable

from thaw.foundation.errors import BadParameters
from thaw.kinds.kind import IDENTITY, Kind, View


def expand_views(names: Iterable[str], kind: Kind) -> tuple[View, ...]:
    """The single views that the names mean, each once, the identity first.

    Raises:
        BadParameters: the kind has no view of that name.
    """
    wanted = (IDENTITY, *names)
    if unknown := [name for name in wanted if name not in kind.views]:
        raise BadParameters(f"views: {kind.words.many} have no view `{unknown[0]}`; there are {', '.join(kind.views)}")
    return tuple(dict.fromkeys(view for name in wanted for view in kind.views[name]))


def views_chosen_from(augmentation: str, kind: Kind) -> tuple[View, ...]:
    """The views that an augmentation chooses from; empty if it changes examples freely.

    Raises:
        BadParameters: the kind has no augmentation of that name.
    """
    return kind.augmentations[named_augmentation(augmentation, kind)]


def named_augmentation(augmentation: str, kind: Kind) -> str:
    """The name of the augmentation; for `auto` the usual augmentation of the kind.

    Raises:
        BadParameters: the kind has no augmentation of that name.
    """
    name = kind.usual_augmentation if augmentation == "auto" else augmentation
    if name not in kind.augmentations:
        raise BadParameters(
            f"finetune.augment: {kind.words.many} cannot be changed by `{name}`; there are {', '.join(kind.augmentations)}"
        )
    return name
