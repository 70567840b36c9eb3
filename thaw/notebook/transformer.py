"""Features of a frozen backbone as a transformer of scikit-learn, for a `Pipeline`, a grid search or a cross-validation."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from thaw.backbones.backbone import Backbone
from thaw.features.extraction.extraction import cut_layers
from thaw.kinds.kind import IDENTITY
from thaw.notebook.featuring import bring
from thaw.notebook.inputs import inputs_of, values_of
from thaw.notebook.setup import Setup, set_up
from thaw.notebook.sources import kind_of_values

_SHOWN = 3
_SEVERAL = 10
"""The least number of examples whose features are kept; examples that come one by one would each add a file to the cache."""


class ThawFeatures(TransformerMixin, BaseEstimator):
    """Examples to features: a list, a column or an array [N] of paths, texts, bytes or arrays to float32 [N, D].

    Nothing is learnt in `fit` but which backbone is used. Features are cached by content, so a cross-validation computes each of them once.

    Args:
        backbone: a name such as `resnet50`, or a file of weights; None: the usual one of the kind of the first examples in `fit`.
        layer: the cut layer; None: the input of the network's last linear layer.
        cache: the folder of the cache; None: `THAW_CACHE`, or else `~/.cache/thaw`.

    Attributes:
        backbone_: the backbone's name or file.
        n_features_out_: D.
    """

    def __init__(
        self,
        backbone: "str | Path | None" = None,
        *,
        layer: str | None = None,
        cache: "str | Path | None" = None,
    ) -> None:
        self.backbone = backbone
        self.layer = layer
        self.cache = cache

    def fit(self, X: object, y: object = None) -> Self:  # noqa: N803  # scikit-learn's names
        """Settle the backbone. X: examples. y: not used."""
        name, examples = self.backbone, _examples(X)
        if name is None:
            name = set_up(kind_of_values(list(examples)), cache=self.cache).asked.backbone.weights
        self.backbone_ = str(name)
        self.n_features_out_ = self._dim()
        return self

    def transform(self, X: object) -> NDArray[np.float32]:  # noqa: N803  # scikit-learn's names
        """The features of examples, float32 [N, D], in order.

        Raises:
            ValueError: an example cannot be used; each row needs its features.
        """
        check_is_fitted(self)
        setup, backbone = self._opened()
        examples = _examples(X)
        featured = bring(setup, backbone, inputs_of(examples, setup.kind), keep=len(examples) >= _SEVERAL)
        if featured.rejected:
            shown = "; ".join(f"{name} {reason}" for name, reason in featured.rejected[:_SHOWN])
            raise ValueError(f"{len(featured.rejected)} of {len(examples)} examples cannot be used: {shown}")
        return np.asarray(featured.features.numpy(), np.float32)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[Any]:
        """`f0`, `f1`, ...; input_features: not used."""
        check_is_fitted(self)
        return np.array([f"f{place}" for place in range(self.n_features_out_)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[no-untyped-call]
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        tags.no_validation = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _dim(self) -> int:
        setup, backbone = self._opened()
        return cut_layers(backbone, "float32", setup.params.extract.dtype, (IDENTITY,))[0].dim

    def _opened(self) -> tuple[Setup, Backbone]:
        return _opened(self.backbone_, self.layer, None if self.cache is None else str(self.cache))


@lru_cache(maxsize=4)
def _opened(name: str, layer: str | None, cache: str | None) -> tuple[Setup, Backbone]:
    """A backbone that stays in memory; a fitted transformer holds its name alone, so that copies and workers cost nothing."""
    setup = set_up(None, backbone=name, layers=(layer or "auto",), cache=cache, quiet=True)
    return setup, setup.backbone()


def _examples(given: object) -> Sequence[object]:
    if hasattr(given, "tocsr"):
        raise TypeError("sparse input is not supported; give a list, a column or an array of examples")
    values = values_of(given)
    if values is not None:
        return values
    if isinstance(given, Iterable) and not isinstance(given, str | bytes):
        return list(given)
    raise ValueError(f"{type(given).__name__} given; a list, a column or an array of examples is taken")
