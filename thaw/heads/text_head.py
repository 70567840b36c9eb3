"""Text heads: linear heads whose weights are made of the names of the classes by a backbone's text tower. They need no labelled example.

The weights are fixed when the head is made, so a model with such a head is stored, exported and served without the text tower.
Source: Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021, section 3.1.4 (several prompts).
"""

import math
import re
from collections.abc import Sequence

import torch
import torch.nn.functional as F

from thaw.backbones.text_towers import TextTower
from thaw.heads.fitted import FittedHead, HeldOut, finish_head
from thaw.heads.logistic import LogisticModel
from thaw.heads.standardisation import Standardisation
from thaw.kinds.kind import Words
from thaw.params.sections import StrategyParams
from thaw.params.values.strategy import SLOT
from thaw.targets.labelled import LabelledFeatures

_NUMBERING = re.compile(r"^(?:\d+\.|n\d{8}[\s_.\-])(?=\D)")
_SEPARATORS = re.compile(r"[\s_\-./]+")


def words_of(label: str) -> str:
    """A label as the words of a sentence: `golden_retriever`, `12.golden-retriever` and `n02099601-golden_retriever` as `golden retriever`, `7` as it is."""
    return _SEPARATORS.sub(" ", _NUMBERING.sub("", label)).strip() or label


def text_model(tower: TextTower, class_names: Sequence[str], prompts: Sequence[str]) -> LogisticModel:
    """The linear model on the layer `joint` whose weights are the classes' texts, scaled as in the checkpoint.

    A class is the mean of its prompts' vectors of length 1, brought to length 1. prompts: with `{label}` in each.

    Raises:
        BadParameters: a prompt is longer than the tower takes.
    """
    vectors = tower.embed(texts_of(class_names, prompts))
    means = F.normalize(vectors.view(len(class_names), len(prompts), -1).mean(1), dim=1)
    dim = means.shape[1]
    as_they_are = Standardisation(torch.zeros(dim), torch.ones(dim), math.inf)
    return LogisticModel(as_they_are, means * tower.scale, torch.full((len(class_names),), tower.bias))


def texts_of(class_names: Sequence[str], prompts: Sequence[str]) -> tuple[str, ...]:
    """The texts of every class, one after another."""
    return tuple(prompt.replace(SLOT, words_of(name)) for name in class_names for prompt in prompts)


def prompts_of(params: StrategyParams, words: Words) -> tuple[str, ...]:
    """The prompts of the parameters, or the usual one for the kind of examples that the words are for."""
    return params.prompts or (words.prompt,)


def text_head(model: LogisticModel, labelled: LabelledFeatures) -> FittedHead:
    """The head of a text model. Its calibration, and with label sets its thresholds, come from the labelled rows, from which it has learnt nothing.

    labelled: may have no rows; then the checkpoint's own numbers count, and a class of a label set is named from a probability of one half.
    """
    held_out = HeldOut(model.logits(labelled.features), labelled.targets) if len(labelled) else None
    neutral = torch.ones(2, len(labelled.class_names))
    return finish_head(model, labelled.class_names, labelled.target, weights=neutral, held_out=held_out, trials=())
