"""Features of a source or of a list of examples, as a data frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from thaw.dataset.places import Places
from thaw.dataset.sources import source_of_kind
from thaw.models.scoring.names import Input
from thaw.notebook.cache import cache_at
from thaw.notebook.data import warn_of
from thaw.notebook.errors import plainly
from thaw.notebook.featuring import Featured, bring
from thaw.notebook.inputs import Placed, inputs_of, values_of
from thaw.notebook.setup import Changes, Setup, set_up
from thaw.notebook.sources import kind_of_source, kind_of_values, locate

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class _Labelled:
    """Examples with their labels, one each. column: of the labels; None: there are none."""

    inputs: Sequence[Input]
    column: str | None
    labels: Sequence[object]


@plainly
def extract(
    source: object,
    *,
    backbone: "str | Path | None" = None,
    layer: str | None = None,
    listing: str | None = None,
    params: Changes | None = None,
    cache: "str | Path | None" = None,
    quiet: bool = False,
) -> "pd.DataFrame":
    """The features of examples by a frozen backbone; what the cache has costs no forward pass.

    Args:
        source: a labelled source, as `thaw.fit` takes it; or a list or a column of examples, as `Model.predict` takes it.
        backbone: as in `thaw.fit`.
        layer: the cut layer; None: the input of the network's last linear layer.
        listing, params, cache, quiet: as in `thaw.fit`.

    Returns:
        A row a usable example: `example`, of a source its `label` (or `labels`), and the features `f0`, `f1`, ..., float32. `frame.attrs["rejected"]` lists
        the other examples, each with its reason.

    Raises:
        ThawError: the source, a parameter or the backbone cannot be used; the message says what to do.
    """
    found = partial(set_up, backbone=backbone, layers=(layer or "auto",), changes=params, cache=cache, quiet=quiet)
    if isinstance(source, str | Path) or hasattr(source, "columns"):
        root = locate(source, cache_at(cache))  # type: ignore[arg-type]  # a data frame
        kind = kind_of_source(root, listing) if backbone is None else None
        setup = found(kind, source=root, listing=listing)
        asked = _of_source(setup, root, listing)
    else:
        values = values_of(source)
        given = [source] if values is None else values
        setup = found(kind_of_values(given) if backbone is None else None)
        asked = _Labelled(inputs_of(given, setup.kind, setup.params.dataset.encoding), None, ())
    featured = bring(setup, setup.backbone(), asked.inputs)
    warn_of(featured.rejected, setup.kind.words.many, level=4)
    return _frame(featured, asked)


def _of_source(setup: Setup, root: Path, listing: str | None) -> _Labelled:
    params, kind = setup.params.dataset, setup.kind
    candidates = source_of_kind(kind, root, listing, params.encoding).candidates
    places = Places(root, params.encoding)
    sets = any(candidate.labels is not None for candidate in candidates)
    labels: list[object] = [
        (None if each.labels is None else list(each.labels)) if sets else each.label for each in candidates
    ]
    return _Labelled(
        [Input(each.path, Placed(places.at(each.path))) for each in candidates], "labels" if sets else "label", labels
    )


def _frame(featured: Featured, asked: _Labelled) -> "pd.DataFrame":
    import pandas as pd

    usable = [place for place, row in enumerate(featured.rows) if not row.reason]
    columns: dict[str, list[object]] = {"example": [featured.rows[place].path for place in usable]}
    if asked.column is not None:
        columns[asked.column] = [asked.labels[place] for place in usable]
    features = np.asarray(featured.features.numpy(), np.float32)
    numbers = pd.DataFrame(features, columns=[f"f{place}" for place in range(features.shape[1])])
    frame = pd.concat([pd.DataFrame(columns), numbers], axis=1)
    frame.attrs["rejected"] = list(featured.rejected)
    return frame
