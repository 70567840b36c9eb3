"""Features of a model without a backbone."""

from torch import Tensor

from thaw.kinds.batches import Batch, joined_rows, rows_at_once, split
from thaw.kinds.kind import Preprocessing
from thaw.kinds.prepared import kind_of

PIECE = 64


def plain_features(batch: Batch, preprocessing: Preprocessing) -> Tensor:
    """See `Kind.plain_features`, for any number of examples, prepared by a preprocessing of `Kind.plain_preprocessing` and not normalised."""
    kind = kind_of(preprocessing)
    return joined_rows(
        [kind.plain_features(preprocessing.normalise(part)) for part in split(batch, min(PIECE, rows_at_once(batch)))]
    )
