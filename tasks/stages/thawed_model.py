"""The training of the layers that the strategy thaws, for the stage `finetune`."""

import logging
from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from tasks.project.local_state import ACTIVATIONS, CHECKPOINTS
from tasks.project.paths import FINETUNED, HEAD, MANIFEST
from tasks.project.progress import counted
from tasks.stages.own_features import own_features
from tasks.stages.own_openness import opened
from thaw.backbones.backbone import Backbone, read_backbone
from thaw.dataset.manifest import read_manifest
from thaw.dataset.selection import training_examples, validation_examples
from thaw.features.store.store import FeatureStore
from thaw.finetuning.fitting import Desk, Start, finetune
from thaw.finetuning.labelled_examples import read_labelled_inputs
from thaw.finetuning.result import write_finetuned
from thaw.heads import FittedHead, fit_head, read_head
from thaw.heads.kinds import weights_of
from thaw.heads.open_set.fitting import check_thawed
from thaw.kinds.labelled_inputs import LabelledInputs
from thaw.params.sections import HeadParams, Params
from thaw.params.values.strategy import Strategy
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
            Start(backbone, head, weights, _refit(backbone.only((strategy.layer,)), examples, params.head)),
            examples,
            val,
            strategy,
            params.finetune,
            desk=desk,
            progress=progress,
        )
    write_finetuned(replace(model, predictor=opened(model.predictor, examples, val, params)), FINETUNED)
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


def _refit(backbone: Backbone, examples: LabelledInputs, params: HeadParams) -> Callable[[Tensor], FittedHead]:
    """A function that fits the head on some rows of the examples; the features are computed when it is called."""
    layer = backbone.layers[-1]
    return lambda rows: fit_head(own_features(backbone, layer, examples.rows(rows)), None, params)
