"""The training of the layers that the strategy thaws, for the stage `finetune`."""

import logging
from dataclasses import replace

import torch

from tasks.project.local_state import ACTIVATIONS, CHECKPOINTS
from tasks.project.paths import FINETUNED, HEAD, MANIFEST
from tasks.project.progress import counted
from tasks.stages.labelled_inputs import read_labelled_inputs
from thaw.backbones.backbone import read_backbone
from thaw.dataset.manifest import read_manifest
from thaw.dataset.selection import training_examples, validation_examples
from thaw.features.store.store import FeatureStore
from thaw.finetuning.fitting import Desk, Start, finetune
from thaw.finetuning.result import write_finetuned
from thaw.heads import read_head
from thaw.heads.kinds import weights_of
from thaw.heads.open_set.fitting import check_thawed, fit_openness
from thaw.kinds.labelled_inputs import LabelledInputs
from thaw.models.prediction.predictor import BATCH, Predictor
from thaw.params.sections import Params
from thaw.params.values.strategy import Strategy
from thaw.targets.labelled import LabelledFeatures
from thaw.targets.target import target_of

log = logging.getLogger(__name__)


def write_thawed(params: Params, strategy: Strategy) -> None:
    """Read the head and the examples, train, write `data/finetuned/`."""
    check_thawed(params.openness)
    manifest, head = read_manifest(MANIFEST), read_head(HEAD)
    backbone = read_backbone(params.backbone, manifest.decoding)
    rows, held_out = training_examples(manifest, params.dataset.labels_per_class), validation_examples(manifest)
    target = target_of(manifest)
    examples = read_labelled_inputs(rows, head.class_names, target, params, backbone.preprocessing)
    val = read_labelled_inputs(held_out, head.class_names, target, params, backbone.preprocessing) if held_out else None
    weights = weights_of(examples, params.head)
    desk = Desk(CHECKPOINTS / "finetune", FeatureStore(ACTIVATIONS))
    with counted("finetune", "epochs") as progress:
        model = finetune(
            Start(backbone, head, weights),
            examples,
            val,
            strategy,
            params.finetune,
            desk=desk,
            progress=progress,
        )
    write_finetuned(replace(model, predictor=_opened(model.predictor, examples, val, params)), FINETUNED)
    desk.clear()
    before, best = model.history[0], model.history[min(model.epochs, len(model.history) - 1)]
    log.info(
        "%s: %d blocks trained on %d examples for %d epochs%s",
        strategy,
        model.thawed,
        len(examples),
        model.epochs,
        ""
        if before.val_loss is None or best.val_loss is None
        else f"; held-out log loss {before.val_loss:.3f} to {best.val_loss:.3f}",
    )


def _opened(model: Predictor, examples: LabelledInputs, val: LabelledInputs | None, params: Params) -> Predictor:
    """The model with an openness that is fitted on its own features, if the parameters ask for it."""
    if params.openness.score == "none" and params.openness.background is None:
        return model
    train, held_out = _labelled(model, examples), None if val is None else _labelled(model, val)
    with counted("openness", "fits") as progress:
        openness = fit_openness(
            model.head,
            train,
            held_out,
            params=params.openness,
            head_params=params.head,
            confidence=params.statistics.confidence,
            progress=progress,
        )
    return replace(model, openness=openness)


def _labelled(model: Predictor, examples: LabelledInputs) -> LabelledFeatures:
    """The features of examples, uncached: the fine-tuned backbone has its own."""
    batches = torch.arange(len(examples)).split(BATCH)
    parts = [model.backbone.features(examples.batch(rows))[model.layer].clone() for rows in batches]
    return LabelledFeatures(torch.cat(parts), examples.targets, examples.class_names, examples.groups)
