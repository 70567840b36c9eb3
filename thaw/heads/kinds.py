"""The kinds of head: the settings to try for each, and the fit of models with them."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from torch import Tensor

from thaw.heads.bags import BagModel, fit_bags, is_bag
from thaw.heads.fitted import Model, Setting
from thaw.heads.lbfgs import Stopping
from thaw.heads.logistic import LogisticModel, fit_logistic
from thaw.heads.mlp import MlpSettings, checkpoints, fit_mlps
from thaw.heads.neighbours import NeighboursModel, fit_neighbours, logits_of_all
from thaw.params.sections import HeadParams
from thaw.params.values.strategy import HeadKind
from thaw.targets.labelled import LabelledFeatures
from thaw.targets.target import target_of_targets

Lot = list[tuple[Setting, Model]]


def candidates(train: LabelledFeatures, params: HeadParams, kind: HeadKind) -> list[Setting]:
    """The settings to try, the strongest regularisation first."""
    strengths = sorted(set(params.l2), reverse=True)
    if kind == "linear":
        return [Setting(l2=l2) for l2 in strengths]
    if kind == "mlp":
        return [Setting(l2=l2, epochs=epochs) for l2 in strengths for epochs in checkpoints(params.epochs)]
    # With more neighbours than a class has rows, some neighbours are always of other classes.
    most = train.target.rows_per_class(train.targets, len(train.class_names))
    counts = sorted({min(count, most) for count in params.neighbours}, reverse=True)
    return [Setting(neighbours=count) for count in counts]


def fit_lots(train: LabelledFeatures, settings: Sequence[Setting], params: HeadParams, kind: HeadKind) -> Iterator[Lot]:
    """Models for the settings: in one lot, or in several if the training continues from one setting to the next (mlp)."""
    weights = weights_of(train, params)
    models: Sequence[Model]
    if kind == "linear":
        strengths = [setting.l2 for setting in settings if setting.l2 is not None]
        models = fit_linear(train, weights=weights, l2=strengths)
    elif kind == "knn":
        counts = [setting.neighbours for setting in settings if setting.neighbours is not None]
        models = fit_neighbours(train.features, train.targets, class_weights=weights, neighbours=counts)
    else:
        yield from _fit_mlps(train, settings, weights=weights, params=params)
        return
    yield list(zip(settings, models, strict=True))


def fit_linear(
    train: LabelledFeatures, *, weights: Tensor, l2: Sequence[float], stopping: Stopping | None = None
) -> Sequence[LogisticModel | BagModel]:
    """A linear model for each L2 strength, on features or on bags. weights: of the classes. stopping: of the fit on features; None: the usual limits."""
    if is_bag(train.features):
        return fit_bags(train.features, train.targets, class_weights=weights, l2=l2)
    return fit_logistic(train.features, train.targets, class_weights=weights, l2=l2, stopping=stopping)


def lot_logits(lot: Lot, features: Tensor) -> list[tuple[Setting, Tensor]]:
    """The logits, float32 [N, C], of every model of a lot; features: float32 [N, D]."""
    settings, models = [setting for setting, _ in lot], [model for _, model in lot]
    neighbours = [model for model in models if isinstance(model, NeighboursModel)]
    if len(neighbours) == len(models):
        return list(zip(settings, logits_of_all(neighbours, features), strict=True))
    return [(setting, model.logits(features)) for setting, model in lot]


def _fit_mlps(
    train: LabelledFeatures, settings: Sequence[Setting], *, weights: Tensor, params: HeadParams
) -> Iterator[Lot]:
    decays = tuple(dict.fromkeys(setting.l2 for setting in settings if setting.l2 is not None))
    last = max(setting.epochs for setting in settings if setting.epochs is not None)
    mlp = MlpSettings(params.hidden, params.dropout, decays, last, params.seed)
    for epochs, models in fit_mlps(train.features, train.targets, class_weights=weights, settings=mlp):
        yield [(Setting(l2=decay, epochs=epochs), model) for decay, model in zip(decays, models, strict=True)]


def fit_one(train: LabelledFeatures, setting: Setting, params: HeadParams, kind: HeadKind) -> Model:
    """The model for one setting."""
    *_, last = fit_lots(train, [setting], params, kind)
    ((_, model),) = last
    return model


class Labelled(Protocol):
    """Rows with their targets: features, or examples themselves."""

    @property
    def targets(self) -> Tensor: ...

    @property
    def class_names(self) -> tuple[str, ...]: ...


def weights_of(train: Labelled, params: HeadParams) -> Tensor:
    """The weights of rows in the loss; see `thaw.targets.target.Target.weights`."""
    return target_of_targets(train.targets).weights(train.targets, train.class_names, params.class_weights)
