"""Cached features of labelled rows, for fitting heads."""

from collections.abc import Sequence

from thaw.dataset.groups import group_numbers
from thaw.dataset.manifest import Example
from thaw.features.store.store import FeatureStore, Layer, read_views
from thaw.targets.labelled import LabelledFeatures, label_views
from thaw.targets.target import Target


def read_labelled(
    store: FeatureStore, rows: Sequence[Example], class_names: tuple[str, ...], views: Sequence[Layer], target: Target
) -> LabelledFeatures:
    """The cached features of labelled rows in each view, with their targets and groups, in the order of the rows."""
    features = read_views(store, views, rows)
    return label_views(features, target.encode(rows, class_names), class_names, group_numbers(rows))
