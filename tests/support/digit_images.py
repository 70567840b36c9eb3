"""Real digits as labelled images, and the embedded backbone with a head on them: small enough to fine-tune in a test."""

from functools import cache
from pathlib import Path

import torch
from sklearn.datasets import load_digits

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.features.store.store import FeatureStore
from thaw.finetuning.fitting import Desk, Start
from thaw.heads import fit_head
from thaw.heads.kinds import weights_of
from thaw.kinds.labelled_inputs import LabelledInputs
from thaw.params.sections import BackboneParams, HeadParams
from thaw.targets.labelled import LabelledFeatures

WEIGHTS = Path(__file__).parents[2] / "data/pretrain/small.safetensors"
CLASSES = 3


def digit_images(first: int, count: int, classes: int = CLASSES) -> LabelledInputs:
    """`count` digits from the `first` on, of the lowest classes, as the backbone takes them: uint8 [N, 3, 32, 32]."""
    held = load_digits(n_class=classes)
    rows = slice(first, first + count)
    pixels = torch.tensor(held.images[rows] * 255 / 16).round().to(torch.uint8)
    pixels = pixels.repeat_interleave(4, 1).repeat_interleave(4, 2)[:, None].expand(-1, 3, -1, -1).contiguous()
    digests = tuple(bytes([number // 256, number % 256]) * 16 for number in range(first, first + count))
    names = tuple(str(number) for number in range(classes))
    return LabelledInputs(pixels, torch.arange(count), digests, torch.tensor(held.target[rows]), names)


@cache
def embedded() -> Backbone:
    return read_backbone(BackboneParams(weights=str(WEIGHTS)))


def features_of(backbone: Backbone, images: LabelledInputs) -> LabelledFeatures:
    found = backbone.features(images.batch(torch.arange(len(images))))[backbone.layers[-1]]
    return LabelledFeatures(found.clone(), images.targets, images.class_names)


def start_on(images: LabelledInputs, backbone: Backbone | None = None) -> Start:
    """The backbone with a linear head that was fitted on the images."""
    whole = backbone or embedded()
    features, params = features_of(whole, images), HeadParams(l2=(0.01, 0.1))
    head = fit_head(features, None, params)
    return Start(whole, head, weights_of(images, params), lambda rows: fit_head(features.rows(rows), None, params))


def desk_in(folder: Path) -> Desk:
    return Desk(folder, FeatureStore(folder / "activations"))
