"""Features as tables and in scikit-learn's pipelines, the advice and the ranking."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from notebook_models import Fitted
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import thaw

NOT_APPLICABLE = {
    "check_transformer_general": "it asks for an error where rows have another length than in `fit`, and examples may have any length",
}
"""Checks of scikit-learn that ask for something that examples do not have, and why."""


def test_a_table_of_features_is_what_the_model_was_trained_on(fitted: Fitted) -> None:
    with pytest.warns(UserWarning, match="damaged"):
        frame = thaw.extract(fitted.source, backbone="thaw_small", cache=fitted.cache, quiet=True)
    assert list(frame.columns[:3]) == ["example", "label", "f0"] and frame["f0"].dtype == np.float32
    assert len(frame) == 49 and [path for path, _ in frame.attrs["rejected"]] == ["1/damaged.png"]
    layer, store = fitted.model.predictor.layer, fitted.model.setup.cache.features
    kept = store.read(fitted.model.fingerprint, layer, fitted.model.manifest.digests)
    assert np.array_equal(frame.loc[:, "f0":].to_numpy(), kept.numpy())
    files = [fitted.source / path for path in frame["example"][:3]]
    again = thaw.extract(files, backbone="thaw_small", cache=fitted.cache, quiet=True)
    assert "label" not in again and np.array_equal(again.loc[:, "f0":].to_numpy(), frame.loc[:2, "f0":].to_numpy())


def test_a_cross_validation_computes_each_example_once(fitted: Fitted, passes: list[int], tmp_path: Path) -> None:
    files = sorted(fitted.source.rglob("[01]/0*.png"))
    labels = [file.parent.name for file in files]
    pipeline = make_pipeline(thaw.ThawFeatures("thaw_small", cache=tmp_path), LogisticRegression())
    first = clone(pipeline).fit(files, labels)
    assert first.score(files, labels) == 1.0
    seen = sum(passes)
    assert clone(pipeline).fit(files[::2], labels[::2]).predict(files).tolist() == labels
    assert sum(passes) - seen <= 1, "a blank example for the sizes alone"
    assert first[0].get_feature_names_out()[0] == "f0" and first[0].n_features_out_ == 256
    with pytest.raises(ValueError, match=r"1 of 2 examples cannot be used: .*nowhere.png does not exist"):
        first[0].transform([files[0], "nowhere.png"])


class _OfNumbers(thaw.ThawFeatures):
    """The transformer on rows of numbers, each written as a text, because scikit-learn's checks give nothing else."""

    def fit(self, X: Any, y: object = None) -> "_OfNumbers":  # noqa: N803
        super().fit(_written(X), y)
        self.n_features_in_ = np.asarray(X).shape[1]
        return self

    def transform(self, X: Any) -> Any:  # noqa: N803
        return super().transform(_written(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.one_d_array = True, False
        return tags


def _written(rows: Any) -> Any:
    if hasattr(rows, "tocsr"):
        return rows  # as they are, which is refused
    return [" ".join(f"word{float(value):.3f}" for value in row) for row in np.asarray(rows)]


def test_the_transformer_keeps_scikit_learn_s_conventions(tmp_path: Path) -> None:
    results = check_estimator(
        _OfNumbers("thaw_words", cache=tmp_path), on_fail=None, expected_failed_checks=NOT_APPLICABLE
    )
    failed = {result["check_name"]: result["exception"] for result in results if result["status"] == "failed"}
    assert not failed and sum(result["status"] == "passed" for result in results) > 30
    assert (
        isinstance(thaw.ThawFeatures(), BaseEstimator)
        and repr(thaw.ThawFeatures("resnet18")) == "ThawFeatures(backbone='resnet18')"
    )


def test_the_advice_is_a_table_and_names_a_strategy_that_fit_takes(fitted: Fitted) -> None:
    settings = {"strategy.repeats": 1, "head.l2": [0.01], "head.epochs": 5}
    with pytest.warns(UserWarning, match="damaged"):
        advised = thaw.advise(fitted.source, backbone="thaw_small", params=settings, cache=fitted.cache, quiet=True)
    assert advised.strategy in set(advised.table["strategy"]) and advised.reason in repr(advised)
    assert {"linear", "mlp", "knn", "cut", "plain"} <= set(advised.table["strategy"])
    assert (advised.table["low"] <= advised.table["accuracy"]).all()
    assert "<svg" in advised._repr_html_() and "followed" in advised._repr_html_()


def test_the_ranking_is_a_table_and_goes_on_without_a_backbone_that_is_not_there(fitted: Fitted) -> None:
    settings = {"strategy.repeats": 1, "head.l2": [0.01]}
    with pytest.warns(UserWarning, match="nonsense is not ranked"):
        table = thaw.rank(fitted.source, ["nonsense", "thaw_small", "thaw_small.random"], params=settings, cache=fitted.cache, quiet=True)  # fmt: skip
    assert set(table["backbone"]) == {"thaw_small", "thaw_small.random", "raw pixels"}
    assert table["accuracy"].is_monotonic_decreasing and table["behind"].isna().tolist() == [True, False, False]
