"""The explanation of an answer: how far its log-odds fall when a part of the example is taken away.

Li, Monroe and Jurafsky, "Understanding Neural Networks through Representation Erasure", arXiv:1612.08220, section 3; here log-odds, which for a linear head on
averaged vectors fall by exactly the part's share. Of a long text the strongest part is cut once more. Places of a grid are in `thaw.models.looking`.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from thaw.kinds.batches import Batch
from thaw.kinds.kind import Kind, Veiling
from thaw.models.explanation import Explanation, Spans
from thaw.models.looking import look

PARTS, FEWEST = 48, 8
"""The most parts of one cut, and the most for the longest examples."""
MOST_ANSWERS = 1 + 2 * PARTS
"""The cost of an explanation: the whole example, the first cut and the second."""
NBYTES = 200_000
"""Bytes of all examples of one cut; a longer example has fewer and larger parts, but still `FEWEST`."""


def explain(
    content: bytes, kind: Kind, prepare: Callable[[bytes], Batch], log_odds: Callable[[Sequence[Batch]], Tensor]
) -> Explanation | None:
    """The explanation of a model's answer for an example; None if the kind has neither parts nor places. It costs at most `MOST_ANSWERS` answers.

    prepare: of the model. log_odds: a function from prepared examples to float64 [N, C].

    Raises:
        BadExample: see `Kind.inspect`.
    """
    if isinstance(kind, Veiling):
        return look(prepare(content), kind, log_odds)
    return explain_parts(content, kind, lambda contents: log_odds([prepare(each) for each in contents]))


def explain_parts(content: bytes, kind: Kind, log_odds: Callable[[Sequence[bytes]], Tensor]) -> Explanation | None:
    """The same by the parts of an example; log_odds: a function from examples as files to float64 [N, C]."""
    most = max(FEWEST, min(PARTS, NBYTES // max(len(content), 1)))
    first = kind.parts(content, most)
    if first is None:
        return None
    odds = log_odds([content, *first.without])
    whole = Explanation(Spans(first.text, first.spans), odds[0] - odds[1:], odds[0])
    place = whole.strongest
    if place is None:
        return whole
    finer = kind.parts(content, most, first.spans[place])
    if finer is None or len(finer.spans) < 2:
        return whole
    drops = odds[0] - log_odds(finer.without)
    spans = (*first.spans[:place], *finer.spans, *first.spans[place + 1 :])
    drops = torch.cat([whole.drops[:place], drops, whole.drops[place + 1 :]])
    return Explanation(Spans(first.text, spans), drops, odds[0])
