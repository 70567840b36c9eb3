"""Images of the manifest as a network is trained on them."""

from collections.abc import Sequence
from pathlib import Path

import torch

from thaw.dataset.groups import group_numbers
from thaw.dataset.manifest import Example, references_of
from thaw.finetuning import LabelledImages
from thaw.kinds.images.preprocessing import Preprocessing
from thaw.kinds.images.tensors import read_pixels
from thaw.params.sections import Params
from thaw.targets.target import Target


def read_labelled_images(
    rows: Sequence[Example], class_names: tuple[str, ...], target: Target, params: Params, preprocessing: Preprocessing
) -> LabelledImages:
    """The pixels of labelled rows with their targets and groups, in the order of the rows.

    Raises:
        BadSource: an image is gone, or is not the one that was ingested.
    """
    limits = params.dataset.limits
    return LabelledImages(
        pixels=read_pixels(references_of(rows, Path(params.dataset.source)), preprocessing, limits=limits),
        places=torch.arange(len(rows)),
        digests=tuple(row.digest for row in rows),
        targets=target.encode(rows, class_names),
        class_names=class_names,
        groups=group_numbers(rows),
    )
