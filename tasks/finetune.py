"""The stage `finetune`: train the layers that the strategy thaws; where it keeps the backbone frozen, a marker says so."""

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from tasks.paths import FINETUNED, HEAD, MANIFEST, STRATEGY
from tasks.progress import counted
from tasks.running import stage
from tasks.state import ACTIVATIONS, CHECKPOINTS
from thaw.backbones import read_backbone
from thaw.features import FeatureStore
from thaw.finetuned import write_finetuned, write_frozen
from thaw.heads import read_head
from thaw.heads.kinds import class_weights
from thaw.labelled import LabelledFeatures
from thaw.manifest import read_manifest
from thaw.openness.fitting import check_thawed, fit_openness
from thaw.params import Params, read_params
from thaw.predictor import BATCH, Predictor
from thaw.selection import training_examples, validation_examples
from thaw.strategy import Strategy, read_strategy

if TYPE_CHECKING:
    from thaw.finetuning import LabelledImages

log = logging.getLogger(__name__)


def main() -> None:
    """Read the strategy, the head and the images, write `data/finetuned/`."""
    params, strategy = read_params(), read_strategy(STRATEGY)
    if strategy.thaws:
        _finetune(params, strategy)
    else:
        write_frozen(FINETUNED)
        log.info("the strategy is %s: the backbone stays frozen", strategy)


def _finetune(params: Params, strategy: Strategy) -> None:
    # Lightning Fabric takes seconds to load: only where something is thawed.
    from tasks.labelled_images import read_labelled_images
    from thaw.finetuning import Desk, Start, finetune

    check_thawed(params.openness)
    manifest, head, backbone = read_manifest(MANIFEST), read_head(HEAD), read_backbone(params.backbone)
    rows, held_out = training_examples(manifest, params.dataset.labels_per_class), validation_examples(manifest)
    images = read_labelled_images(rows, head.class_names, params, backbone.preprocessing)
    val = read_labelled_images(held_out, head.class_names, params, backbone.preprocessing) if held_out else None
    weights = class_weights(images.targets, head.class_names, params.head)
    desk = Desk(CHECKPOINTS / "finetune", FeatureStore(ACTIVATIONS))
    with counted("finetune", "epochs") as progress:
        model = finetune(
            Start(backbone, head, weights),
            images,
            val,
            strategy,
            params.finetune,
            desk=desk,
            progress=progress,
        )
    write_finetuned(replace(model, predictor=_opened(model.predictor, images, val, params)), FINETUNED)
    desk.clear()
    before, best = model.history[0], model.history[min(model.epochs, len(model.history) - 1)]
    log.info(
        "%s: %d blocks trained on %d images for %d epochs%s",
        strategy,
        model.thawed,
        len(images),
        model.epochs,
        ""
        if before.val_loss is None or best.val_loss is None
        else f"; held-out log loss {before.val_loss:.3f} to {best.val_loss:.3f}",
    )


def _opened(model: Predictor, images: "LabelledImages", val: "LabelledImages | None", params: Params) -> Predictor:
    """The model with what tells inputs of no known class, fitted on its own features, where the parameters want it."""
    if params.openness.score == "none" and params.openness.background is None:
        return model
    train, held_out = _labelled(model, images), None if val is None else _labelled(model, val)
    with counted("openness", "fits") as progress:
        found = fit_openness(
            model.head, train, held_out, params=params.openness, head_params=params.head, progress=progress
        )
    return replace(model, openness=found)


def _labelled(model: Predictor, images: "LabelledImages") -> LabelledFeatures:
    """The features of images, uncached: the fine-tuned backbone has its own."""
    batches = torch.arange(len(images)).split(BATCH)
    found = [model.backbone.features(images.batch(rows))[model.layer].clone() for rows in batches]
    return LabelledFeatures(torch.cat(found), images.targets, images.class_names, images.groups)


if __name__ == "__main__":
    stage(main)
