"""Models of every kind that can be exported, small ones on real digits, and pictures to run them on. Two have the whole network: `linear`, `from scratch`."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import torch
from digit_images import WEIGHTS, digit_images, embedded, features_of
from digit_pairs import pair_features, pair_pictures
from openness_rows import QUICK, predictor_on_digits
from torch import nn

from thaw.backbones.architectures import build_seeded, default_preprocessing
from thaw.backbones.backbone import Backbone, cut, read_backbone
from thaw.backbones.weights import Weights
from thaw.finetuning.head_layer import new_head
from thaw.heads import FittedHead, fit_head
from thaw.heads.open_set.fitting import fit_openness
from thaw.models.exporting.card import Origin
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import BackboneParams, HeadParams, OpennessParams
from thaw.params.values.strategy import HeadKind

ORIGIN = Origin("digits", 3, "models:/digits/3", {"thaw.git.commit": "abc"})
PARAMS = HeadParams(l2=(0.01,), hidden=(16,), epochs=5, neighbours=(5,), folds=2)


@cache
def shallow() -> Backbone:
    """The stem of the embedded backbone: exporting more of it takes several times as long, and what stands behind a network does not depend on its depth."""
    return read_backbone(BackboneParams(weights=str(WEIGHTS), layers=("maxpool",)))


def on_digits(kind: HeadKind, backbone: Backbone | None = None) -> Predictor:
    """The digits 0 to 2 by a head of that kind."""
    backbone = backbone or shallow()
    head = fit_head(features_of(backbone, digit_images(0, 120)), None, PARAMS, kind)
    return Predictor(backbone, head, backbone.layers[-1])


def cut_earlier() -> Predictor:
    """On the maps of an earlier layer, pooled by a generalised mean."""
    return on_digits("linear", read_backbone(BackboneParams(weights=str(WEIGHTS), layers=("layer1.0",), pooling="gem")))


def from_scratch() -> Predictor:
    """As fine-tuning from random weights leaves it: another network, and a head that draws nothing in."""
    backbone = embedded().randomised(1)
    made = new_head(256, 3)
    weights = torch.randn(3, made.standardisation.mean.shape[0], generator=torch.Generator().manual_seed(0))
    head = FittedHead(replace(made, weights=weights), ("0", "1", "2"), 1.3, ())
    return Predictor(backbone, head, backbone.layers[-1])


def opened(score: str) -> Predictor:
    """One that may say `neither`."""
    plain, rows = on_digits("linear"), features_of(shallow(), digit_images(0, 120))
    given = {"background": "2"} if score == "background" else {"score": score, "false_accepts": 0.1}
    params = OpennessParams.model_validate(given)
    return replace(plain, openness=fit_openness(plain.head, rows, None, params=params, head_params=QUICK))


def sets(kind: HeadKind = "linear") -> Predictor:
    """Sets of digits."""
    backbone = shallow()
    head = fit_head(pair_features(80, backbone=backbone), None, HeadParams(l2=(0.1,), folds=2, epochs=5), kind)
    return Predictor(backbone, head, backbone.layers[-1])


KINDS: Mapping[str, Callable[[], Predictor]] = {
    "linear": predictor_on_digits,
    "mlp": lambda: on_digits("mlp"),
    "knn": lambda: on_digits("knn"),
    "cut earlier": cut_earlier,
    "from scratch": from_scratch,
    **{f"opened by {score}": lambda score=score: opened(score) for score in
       ("max_probability", "energy", "mahalanobis", "neighbours", "background")},
    "sets": sets,
    "sets by mlp": lambda: sets("mlp"),
    "sets by knn": lambda: sets("knn"),
}  # fmt: skip


@cache
def model(kind: str) -> Predictor:
    """The model of that name in `KINDS`."""
    return KINDS[kind]()


def images(kind: str, count: int = 40) -> list[torch.Tensor]:
    """Pictures for it, uint8 [3, 32, 32] each: digits, or pairs of them."""
    if not kind.startswith("sets"):
        return list(digit_images(200, count).inputs)
    pictures = torch.from_numpy(pair_pictures(count, seed=1)[0]).repeat_interleave(2, 1).repeat_interleave(2, 2)
    return list(pictures[:, None].expand(-1, 3, -1, -1).contiguous())


def of_architecture(name: str) -> tuple[Predictor, list[torch.Tensor]]:
    """A torchvision network of random weights with a head on noise, and a few pictures of it."""
    network = build_seeded(name, 10, 0)
    backbone = cut(name, Weights(network.state_dict(), {}), ("auto",), default_preprocessing(name, WEIGHTS))
    side = backbone.preprocessing.crop
    pixels = torch.randint(0, 256, (6, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    features = backbone.features(pixels)[backbone.layers[-1]]
    made = new_head(features.shape[1], 2)
    weights = torch.randn(2, features.shape[1], generator=torch.Generator().manual_seed(0))
    head = FittedHead(replace(made, weights=weights), ("ant", "bee"), 1.0, ())
    return Predictor(backbone, head, backbone.layers[-1]), list(pixels)


class _Guessing(nn.Module):
    """Does another thing with other pixels, which no graph can say."""

    def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        found = pixels.mean((2, 3)) if float(pixels.mean()) > 0 else pixels.amax((2, 3))
        return {"flatten": found.repeat(1, 100)[:, :256]}


def inexpressible() -> Predictor:
    """One that torch.export must refuse."""
    plain = predictor_on_digits()
    return replace(plain, backbone=replace(plain.backbone, extractor=_Guessing()))
