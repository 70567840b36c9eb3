"""The check of parameters that name views and an augmentation, before the weights tell the kind."""

from collections.abc import Iterator, Sequence

from thaw.foundation.errors import BadParameters
from thaw.kinds.kind import Kind
from thaw.kinds.registry import UNSTATED, kind_named, kind_names
from thaw.kinds.stated import AUTO
from thaw.kinds.views import expand_views, named_augmentation


def fitting_kind(wanted: str, views: Sequence[str], augmentation: str) -> Kind:
    """The kind of that name, or for `auto` the first kind that has these views and this augmentation.

    Raises:
        ValueError: no such kind has them; the message names what each kind lacks.
    """
    refusals = []
    for name in _names(wanted):
        try:
            kind = kind_named(name)
            expand_views(views, kind)
            named_augmentation(augmentation, kind)
        except BadParameters as error:
            refusals.append(str(error))
        else:
            return kind
    raise ValueError("; ".join(refusals))


def _names(wanted: str) -> Iterator[str]:
    """The names of possible kinds, the usual kind first; other kinds are loaded only if it does not fit."""
    if wanted != AUTO:
        yield wanted
        return
    yield UNSTATED
    yield from (name for name in kind_names() if name != UNSTATED)
