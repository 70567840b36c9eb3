"""The plain model, without a backbone, in the form of every model: a small fitted network and a head, so that it is stored, served and exported like them."""

from dataclasses import replace

import torch
from torch import Tensor

from thaw.backbones.backbone import Backbone, cut
from thaw.backbones.plain import FAINT, LAYER, SKETCH, bags_architecture, values_architecture
from thaw.backbones.weights import Weights
from thaw.heads import FittedHead
from thaw.heads.bags import BagModel, entries_in, is_bag
from thaw.heads.logistic import LogisticModel
from thaw.heads.standardisation import Standardisation
from thaw.kinds.kind import Preprocessing
from thaw.models.prediction.predictor import Predictor


def plain_predictor(head: FittedHead, preprocessing: Preprocessing) -> Predictor:
    """The deployed form of a linear head that was fitted on plain features; its answers are the same within rounding. preprocessing: of these features.

    What was fitted below the head goes to the network: the standardisation of values; the entries of bags, their rarity, and their scores by class.
    """
    model = head.model
    if isinstance(model, BagModel):
        backbone, linear = _of_bags(model, preprocessing)
    else:
        assert isinstance(model, LogisticModel)
        backbone, linear = _of_values(model, preprocessing)
    return Predictor(backbone, replace(head, model=linear), LAYER)


def unfitted_plain(features: Tensor, classes: int, preprocessing: Preprocessing) -> Backbone:
    """A network of the size that a fit on these plain features would give, to measure its price."""
    if is_bag(features):
        entries = torch.from_numpy(entries_in(features)).long()
        return _bags(
            entries, torch.ones(len(entries)), torch.zeros(len(entries), classes), _score_head(classes), preprocessing
        )
    dim = features.shape[1]
    neutral = LogisticModel(_neutral(dim), torch.zeros(classes, dim), torch.zeros(classes))
    return _of_values(neutral, preprocessing)[0]


def _of_values(model: LogisticModel, preprocessing: Preprocessing) -> tuple[Backbone, LogisticModel]:
    standardisation, dim = model.standardisation, model.weights.shape[1]
    linear = LogisticModel(_neutral(dim), model.weights, model.bias)
    fitted = {
        "mean": standardisation.mean,
        "scale": standardisation.scale,
        "limit": torch.tensor(standardisation.limit),
    }
    return _network(values_architecture(preprocessing.kind, dim), fitted, linear, preprocessing), linear


def _of_bags(model: BagModel, preprocessing: Preprocessing) -> tuple[Backbone, LogisticModel]:
    entries, rarity, scores = (
        torch.from_numpy(model.entries).long(),
        torch.from_numpy(model.rarity).float(),
        torch.from_numpy(model.weights.T).float(),
    )
    linear = replace(_score_head(scores.shape[1]), bias=torch.from_numpy(model.bias).float())
    return _bags(entries, rarity, scores, linear, preprocessing), linear


def _bags(
    entries: Tensor, rarity: Tensor, scores: Tensor, linear: LogisticModel, preprocessing: Preprocessing
) -> Backbone:
    fitted = {"entries": entries, "rarity": rarity, "scores": scores}
    return _network(bags_architecture(preprocessing.kind, *scores.shape), fitted, linear, preprocessing)


def _network(
    architecture: str, fitted: dict[str, Tensor], linear: LogisticModel, preprocessing: Preprocessing
) -> Backbone:
    tensors = {**fitted, "fc.weight": linear.weights, "fc.bias": linear.bias}
    return cut(architecture, Weights(tensors, {}), (LAYER,), preprocessing)


def _score_head(classes: int) -> LogisticModel:
    """The head on the scores of bags; it does not look at their sketch."""
    weights = torch.cat([torch.zeros(classes, SKETCH), torch.eye(classes) / FAINT], 1)
    return LogisticModel(_neutral(SKETCH + classes), weights, torch.zeros(classes))


def _neutral(dim: int) -> Standardisation:
    return Standardisation(torch.zeros(dim), torch.ones(dim), torch.inf)
