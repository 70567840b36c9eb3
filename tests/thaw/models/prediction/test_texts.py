"""A model of texts may answer `neither`, as one of any kind may."""

import random
from pathlib import Path

import pytest
import torch
from openness_rows import QUICK

from thaw.backbones.backbone import read_backbone
from thaw.heads import fit_head
from thaw.heads.open_set.fitting import fit_openness
from thaw.kinds.batches import Batch
from thaw.kinds.kind import Limits
from thaw.kinds.prepared import open_reader
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import BackboneParams, OpennessParams
from thaw.params.values.places import SHIPPED_WEIGHTS
from thaw.targets.labelled import LabelledFeatures
from thaw.targets.target import NEITHER

WORDS = {
    "animals": "dog cat horse cow sheep bird wolf fox lion bear goat rabbit",
    "money": "bank coin loan price debt tax profit wage market trade fund credit",
    "weather": "rain snow wind storm cloud sun frost fog thunder hail ice heat",
}
OTHER = "violin piano trumpet flute drum opera chord melody singer choir orchestra guitar"


def sentences(words: str, count: int) -> list[str]:
    chance = random.Random(words)
    return [f"the {' and the '.join(chance.sample(words.split(), 4))}" for _ in range(count)]


@pytest.mark.parametrize("score", ["auto", "mahalanobis"])
def test_a_text_of_none_of_the_classes_is_neither(score: str, tmp_path: Path) -> None:
    backbone = read_backbone(BackboneParams(weights=str(SHIPPED_WEIGHTS["thaw_words"])))
    reader, layer = open_reader(backbone.preprocessing, Limits()), backbone.layers[-1]

    def prepared(texts: list[str]) -> list[Batch]:
        return [reader.prepare(text.encode()) for text in texts]

    known = [text for words in WORDS.values() for text in sentences(words, 60)]
    with torch.inference_mode():
        features = torch.cat([backbone.features(backbone.kind.collate([each]))[layer] for each in prepared(known)])
    targets = torch.arange(len(WORDS)).repeat_interleave(60)
    train, held_out = (LabelledFeatures(features[part::2], targets[part::2], tuple(WORDS)) for part in (0, 1))
    head = fit_head(train, None, QUICK)
    params = OpennessParams.model_validate({"score": score, "false_accepts": 0.1})
    openness = fit_openness(head, train, held_out, params=params, head_params=QUICK)
    Predictor(backbone, head, layer, openness).write(tmp_path)
    model = Predictor.read(tmp_path)
    others = model.predict(prepared(sentences(OTHER, 30)))
    assert others.labels.count(NEITHER) >= 25
    labels = model.predict(prepared(known[1::2])).labels
    right = [label == tuple(WORDS)[target] for label, target in zip(labels, targets[1::2].tolist(), strict=True)]
    assert sum(right) >= 0.8 * len(right)
