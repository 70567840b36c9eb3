"""The parity of the three ways to an answer, in the stage `evaluate`: see `thaw.models.exporting.parity`."""

import logging
from collections.abc import Sequence
from pathlib import Path

import torch

from thaw.dataset.manifest import Example
from thaw.dataset.places import places_of, references_of
from thaw.kinds.batches import examples_in
from thaw.kinds.prepared import read_examples
from thaw.models.exporting.parity import measure_parity, write_parity
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import Params

log = logging.getLogger(__name__)

PARITY = "parity.json"
ROWS = 128
"""The most test examples that are compared, spread over the test; the ways differ in their arithmetic, which any example shows."""


def compare_ways(
    predictor: Predictor, test: Sequence[Example], params: Params, features: torch.Tensor | None, report: Path
) -> None:
    """Compare the ways on test examples and write `parity.json` into `report`. features: of each test example, float32 [N, D]; None: they are not cached."""
    count = min(ROWS, len(test))
    rows = [number * len(test) // count for number in range(count)]
    references = references_of([test[row] for row in rows], places_of(params.dataset))
    batch = read_examples(references, predictor.backbone.preprocessing, params.dataset.limits)
    parity = measure_parity(predictor, examples_in(batch), None if features is None else features[rows])
    if parity.reason is not None:
        log.warning("the model cannot be exported: %s", parity.reason)
    write_parity(parity, report / PARITY)
