"""The training of the model without a backbone, for the stage `finetune`."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from tasks.project.paths import FINETUNED, HEAD, MANIFEST
from tasks.stages.own_openness import opened
from thaw.backbones.backbone import read_backbone
from thaw.dataset.manifest import Example, read_manifest
from thaw.dataset.selection import training_examples, validation_examples
from thaw.finetuning.labelled_examples import read_labelled_inputs
from thaw.finetuning.plain import fit_plain
from thaw.finetuning.result import write_plain
from thaw.heads import read_head
from thaw.heads.bags import BagModel
from thaw.kinds.labelled_inputs import LabelledInputs
from thaw.params.sections import Params
from thaw.targets.target import target_of

log = logging.getLogger(__name__)


def write_plain_model(params: Params) -> None:
    """Read the examples, fit a linear head on their plain features, write `data/finetuned/`.

    Plain features are made from the examples in each run, and not cached: no forward pass is needed for them.
    """
    manifest, class_names = read_manifest(MANIFEST), read_head(HEAD).class_names
    backbone = read_backbone(params.backbone, manifest.decoding)
    preprocessing, target = backbone.kind.plain_preprocessing(backbone.preprocessing), target_of(manifest)

    def read(rows: Sequence[Example]) -> LabelledInputs:
        return read_labelled_inputs(rows, class_names, target, params, preprocessing)

    examples, held_out = (
        read(training_examples(manifest, params.dataset.labels_per_class)),
        validation_examples(manifest),
    )
    val = read(held_out) if held_out else None
    fitted, model = fit_plain(examples, val, preprocessing, params.head)
    # The scores of bags are part of the network, so that head cannot be fitted again on fewer classes; without trials it says so.
    head = replace(model.head, trials=()) if isinstance(fitted.model, BagModel) else model.head
    openness = opened(replace(model, head=head), examples, val, params).openness
    write_plain(replace(model, openness=openness), FINETUNED)
    log.info("plain: a linear model on %s of %d examples, without the backbone", backbone.words.plain, len(examples))
