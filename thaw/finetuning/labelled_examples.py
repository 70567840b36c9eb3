"""Prepared examples of the manifest, for training a network."""

from collections.abc import Sequence

import torch

from thaw.dataset.groups import group_numbers
from thaw.dataset.manifest import Example
from thaw.dataset.places import places_of, references_of
from thaw.kinds.kind import Preprocessing
from thaw.kinds.labelled_inputs import LabelledInputs
from thaw.kinds.prepared import read_examples
from thaw.params.sections import Params
from thaw.targets.target import Target


def read_labelled_inputs(
    rows: Sequence[Example], class_names: tuple[str, ...], target: Target, params: Params, preprocessing: Preprocessing
) -> LabelledInputs:
    """Labelled rows prepared for the backbone, with their targets and groups, in the order of the rows.

    Raises:
        BadSource: an example is gone, or has changed since the ingestion.
    """
    return LabelledInputs(
        inputs=read_examples(references_of(rows, places_of(params.dataset)), preprocessing, params.dataset.limits),
        places=torch.arange(len(rows)),
        digests=tuple(row.digest for row in rows),
        targets=target.encode(rows, class_names),
        class_names=class_names,
        groups=group_numbers(rows),
    )
