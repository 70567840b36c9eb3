"""The fit of a model on a data set, without a project."""

from pathlib import Path
from typing import TYPE_CHECKING

from thaw.backbones.backbone import Backbone
from thaw.dataset.manifest import TEST, Example
from thaw.dataset.places import references_of
from thaw.dataset.selection import (
    class_names_of,
    examples_of,
    refuse_unteachable,
    training_examples,
    validation_examples,
)
from thaw.evaluation.held_out import predictions_of
from thaw.evaluation.near_copies import count_near_copies, first_of_each
from thaw.features.store.store import FeatureIndex, Layer
from thaw.finetuning.labelled_examples import read_labelled_inputs
from thaw.finetuning.plain import fit_plain
from thaw.foundation.errors import BadParameters
from thaw.heads import fit_head
from thaw.heads.labelled_rows import read_labelled
from thaw.heads.open_set.fitting import check_target, fit_openness
from thaw.kinds.batches import examples_in
from thaw.kinds.prepared import read_examples
from thaw.kinds.registry import kind_named
from thaw.kinds.views import expand_views
from thaw.models.prediction.answer import Answer, answer
from thaw.models.prediction.predictor import Predictor
from thaw.notebook.advice import decide
from thaw.notebook.cache import cache_at
from thaw.notebook.data import Data, cached, read_data
from thaw.notebook.errors import plainly
from thaw.notebook.model import Model
from thaw.notebook.setup import Changes, Setup, Target, set_up
from thaw.notebook.sources import kind_of_source, locate
from thaw.params.values.strategy import PLAIN, THAWING, Strategy, StrategyKind
from thaw.targets.target import target_of

if TYPE_CHECKING:
    import pandas as pd

_ON_FEATURES: tuple[StrategyKind, ...] = ("linear", "mlp", "knn")
"""The strategies that need no measurement to be chosen."""


@plainly
def fit(
    source: "str | Path | pd.DataFrame",
    *,
    backbone: "str | Path | None" = None,
    strategy: str = "linear",
    listing: str | None = None,
    target: Target = "auto",
    params: Changes | None = None,
    cache: "str | Path | None" = None,
    quiet: bool = False,
) -> Model:
    """Train a model on a labelled source, and keep a test apart.

    The source is split as `thaw run` splits it: by its own folders or column, else by a hash of the group or of the content, a fifth of it for the test. Equal
    files and groups stay together. The backbone stays as it is, and its features are cached by content.

    Args:
        source: a folder of class folders, a table, or a data frame with the columns text and label.
        backbone: a name such as `resnet50` or `timm/NAME`, or a file of weights; None: the usual one of the kind.
        strategy: `linear`, `mlp` or `knn`, a head on features; `plain`, no backbone; `cut`, a linear head at the best earlier layer; `auto`, what
            `thaw.advise` recommends.
        listing: a table of labels inside the source, by its path there.
        target: of the labels; `auto`: one label, or sets where the listing has a column labels.
        params: other parameters by their keys in `params.yaml`, such as `{"dataset.splits.test": 0.3}`.
        cache: the folder of the cache; None: `THAW_CACHE`, or else `~/.cache/thaw`.
        quiet: whether nothing is said on the way.

    Raises:
        ThawError: the source, a parameter or the backbone cannot be used; the message says what to do.
    """
    refuse_thawing(strategy)
    root = locate(source, cache_at(cache))
    kind = kind_of_source(root, listing) if backbone is None else None
    layers = ("auto",) if strategy in (*_ON_FEATURES, PLAIN) else ("blocks",)
    setup = set_up(
        kind, source=root, listing=listing, target=target, backbone=backbone, layers=layers, strategy=strategy,
        changes=params, cache=cache, quiet=quiet,
    )  # fmt: skip
    data = read_data(setup)
    refuse_unteachable(data.manifest)
    check_target(target_of(data.manifest), setup.params.openness)
    model = _fitted(setup, data)
    setup.teller.say(repr(model))
    return model


def refuse_thawing(strategy: str) -> None:
    """Refuse strategies that train the network itself.

    Raises:
        BadParameters: it is one of them.
    """
    if strategy in THAWING:
        raise BadParameters(
            f"strategy={strategy!r} given, which trains the network itself; `thaw init PROJECT --from MODEL` makes a project of a saved model, and `thaw run` "
            "trains it there"
        )


def _fitted(setup: Setup, data: Data) -> Model:
    backbone = setup.backbone(data.manifest.decoding)
    index = cached(setup, data.manifest, data.places, backbone)
    strategy = _strategy(setup, data, index)
    layer = index.layer(strategy.layer)
    is_plain = strategy.kind == PLAIN
    predictor = _plain(setup, data, backbone) if is_plain else _on_features(setup, data, backbone, index, strategy)
    test = examples_of(data.manifest, TEST)
    held_out = predictions_of(test, _answered(setup, data, predictor, layer, strategy)) if test else None
    return Model(
        predictor=predictor,
        setup=setup,
        strategy=str(strategy),
        fingerprint="" if is_plain else layer.fingerprint,
        manifest=data.manifest,
        held_out=held_out,
        rejected=data.rejected,
        notes=(*data.ingested.report.notes, *_near_copies(setup, data, layer)),
    )


def _strategy(setup: Setup, data: Data, index: FeatureIndex) -> Strategy:
    wanted = setup.params.strategy
    # `auto` is none of both.
    if wanted.kind in _ON_FEATURES or wanted.kind == PLAIN:
        return Strategy(wanted.kind, index.layer(wanted.layer).name)
    return decide(setup, data, index).followed.strategy


def _on_features(setup: Setup, data: Data, backbone: Backbone, index: FeatureIndex, strategy: Strategy) -> Predictor:
    """A head on the cached features, as the stage `head` fits it."""
    params, manifest, target = setup.params, data.manifest, target_of(data.manifest)
    views = [index.layer(strategy.layer, view) for view in expand_views(params.head.views, kind_named(manifest.kind))]
    rows = training_examples(manifest, params.dataset.labels_per_class)
    names, store = class_names_of(rows), setup.cache.features
    train = read_labelled(store, rows, names, views, target)
    val = read_labelled(store, validation_examples(manifest), names, views[:1], target)
    head = fit_head(train, val if len(val) else None, params.head, strategy.head)
    openness = fit_openness(
        head, train, val, params=params.openness, head_params=params.head, confidence=params.statistics.confidence
    )
    layer = views[0].name
    return Predictor(backbone.only((layer,)), head, layer, openness)


def _plain(setup: Setup, data: Data, backbone: Backbone) -> Predictor:
    """A linear model on the examples themselves, as the stage `finetune` fits it."""
    params, manifest, target = setup.params, data.manifest, target_of(data.manifest)
    preprocessing = backbone.kind.plain_preprocessing(backbone.preprocessing)
    rows, held_out = training_examples(manifest, params.dataset.labels_per_class), validation_examples(manifest)
    names = class_names_of(rows)
    train = read_labelled_inputs(rows, names, target, params, preprocessing)
    val = read_labelled_inputs(held_out, names, target, params, preprocessing) if held_out else None
    return fit_plain(train, val, preprocessing, params.head)[1]


def _answered(setup: Setup, data: Data, predictor: Predictor, layer: Layer, strategy: Strategy) -> Answer:
    """The model's answer for the test."""
    test = examples_of(data.manifest, TEST)
    if strategy.kind == PLAIN:
        references = references_of(test, data.places)
        batch = read_examples(references, predictor.backbone.preprocessing, setup.params.dataset.limits)
        return predictor.predict(examples_in(batch))
    features = setup.cache.features.read(layer.fingerprint, layer.name, [row.digest for row in test])
    return answer(predictor.head, predictor.openness, features)


def _near_copies(setup: Setup, data: Data, layer: Layer) -> tuple[str, ...]:
    """A sentence on near-copies of training examples in the test; none if there are none."""
    manifest, many = data.manifest, setup.kind.words.many
    known: list[Example] = [
        *training_examples(manifest, setup.params.dataset.labels_per_class), *validation_examples(manifest)
    ]  # fmt: skip
    test = examples_of(manifest, TEST)
    if not test:
        return ()
    found = count_near_copies(setup.cache.features, layer, first_of_each(known), first_of_each(test))
    if not found.copies:
        return ()
    return (
        f"{found.copies} of {found.compared} test {many} are near-copies of {many} that the model has learnt from, so it may look better than it is; name "
        "what belongs together in the column group of a listing.",
    )
