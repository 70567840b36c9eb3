"""The ranking of backbones for a data set without a project, as a data frame."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from thaw.dataset.selection import refuse_unteachable
from thaw.foundation.files.shared_lock import adding
from thaw.notebook.cache import Cache, cache_at
from thaw.notebook.data import read_data
from thaw.notebook.errors import plainly
from thaw.notebook.setup import Changes, Target, set_up
from thaw.notebook.sources import kind_of_source, locate
from thaw.strategies.backbone_ranking import Ranking
from thaw.strategies.named_backbones import ITS_OWN_FAULT, Desk, rank_named
from thaw.targets.target import target_named

if TYPE_CHECKING:
    import pandas as pd


@plainly
def rank(
    source: "str | Path | pd.DataFrame",
    backbones: Sequence["str | Path"],
    *,
    listing: str | None = None,
    target: Target = "auto",
    params: Changes | None = None,
    cache: "str | Path | None" = None,
    quiet: bool = False,
) -> "pd.DataFrame":
    """Backbones and the model without one, the best first, by linear probes on folds of the training examples; the test is not looked at.

    Args:
        source: as in `thaw.fit`.
        backbones: two names or files or more; one that cannot be used is named in a warning, and the others go on.
        listing, target, params, cache, quiet: as in `thaw.fit`.

    Returns:
        A row a backbone: `backbone`, the headline (`accuracy` or `macro_f1`) with `low` and `high`; `behind`, the paired distance from the best, with
        `behind_low` and `behind_high`; the rows cannot tell it from the best if `behind_high` is 0 or more; `dim`, `megabytes`, and `seconds` of the
        extraction.

    Raises:
        ThawError: the source or a parameter cannot be used, or no backbone can; the message says what to do.
    """
    root, user = locate(source, cache_at(cache)), cache_at(cache)
    names = [str(name) for name in backbones]
    kind = kind_of_source(root, listing)
    own = _first_usable(names, user)
    setup = set_up(
        kind, source=root, listing=listing, target=target, backbone=own, changes=params, cache=cache, quiet=quiet
    )
    data = read_data(setup)
    refuse_unteachable(data.manifest)
    desk = Desk(user.features, user.networks, user.bring)
    with adding(user.lock), setup.teller.counted("ranking", kind.words.many) as progress:
        ranking = rank_named(names, data.manifest, setup.params, desk, progress)
    for each in ranking.unranked:
        warnings.warn(f"{each.name} is not ranked: {each.reason}", stacklevel=3)
    return _frame(ranking)


def _first_usable(names: Sequence[str], cache: Cache) -> str | None:
    """The first backbone whose file can be had; the model without a backbone prepares examples for it. None: none can."""
    for name in names:
        try:
            cache.bring(name)
        except ITS_OWN_FAULT:
            continue
        return name
    return None


def _frame(ranking: Ranking) -> "pd.DataFrame":
    import pandas as pd

    headline, rows = target_named(ranking.target).headline, []
    for each in ranking.backbones:
        behind = each.behind_best
        rows.append(
            {
                "backbone": each.name,
                headline: each.accuracy.value,
                "low": each.accuracy.low,
                "high": each.accuracy.high,
                "behind": None if behind is None else behind.value,
                "behind_low": None if behind is None else behind.low,
                "behind_high": None if behind is None else behind.high,
                "dim": each.dim,
                "megabytes": each.megabytes,
                "seconds": each.seconds,
            }
        )
    return pd.DataFrame(rows)
