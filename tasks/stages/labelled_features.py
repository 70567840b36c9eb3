"""Cached features of labelled rows in the project's store, for fitting heads."""

from collections.abc import Sequence

from tasks.project.paths import FEATURES
from thaw.dataset.manifest import Example
from thaw.features.store.store import FeatureStore, Layer
from thaw.heads import labelled_rows
from thaw.targets.labelled import LabelledFeatures
from thaw.targets.target import Target


def read_labelled(
    rows: Sequence[Example], class_names: tuple[str, ...], views: Sequence[Layer], target: Target
) -> LabelledFeatures:
    """See `thaw.heads.labelled_rows.read_labelled`."""
    return labelled_rows.read_labelled(FeatureStore(FEATURES), rows, class_names, views, target)
