"""Made-up texts with a cue, and heads on their plain features."""

import random
from collections.abc import Sequence

import torch

from thaw.heads import FittedHead, fit_head
from thaw.kinds.batches import stacked
from thaw.kinds.plain import plain_features
from thaw.kinds.texts.word_preprocessing import WordPreprocessing
from thaw.params.sections import HeadParams
from thaw.targets.labelled import LabelledFeatures

PREPROCESSING = WordPreprocessing()
QUICK = HeadParams(l2=(1e-4, 1e-2), folds=2)
FILLER = [f"word{number}" for number in range(60)]


def texts(cues: Sequence[str], seed: int = 0) -> list[str]:
    """A text of ten words for each cue, which stands somewhere in it."""
    chance = random.Random(seed)
    made = []
    for cue in cues:
        words = chance.choices(FILLER, k=9)
        words.insert(chance.randrange(10), cue)
        made.append(" ".join(words))
    return made


def prepared(given: Sequence[str]) -> list[dict[str, torch.Tensor]]:
    return [PREPROCESSING.prepare(text.encode()) for text in given]


def bags_of(given: Sequence[str]) -> torch.Tensor:
    return plain_features(stacked(prepared(given)), PREPROCESSING)


def cued(count: int, classes: int = 2) -> tuple[list[str], torch.Tensor]:
    """Texts with cues of their class; of each class there are several cues."""
    targets = torch.arange(count) % classes
    return texts([f"cue{label}{number % 3}" for number, label in enumerate(targets.tolist())]), targets


def head_on_bags(count: int = 60, classes: int = 3) -> FittedHead:
    given, targets = cued(count, classes)
    names = tuple(f"class {number}" for number in range(classes))
    return fit_head(LabelledFeatures(bags_of(given), targets, names), None, QUICK)


def head_on_bag_sets(count: int = 60) -> FittedHead:
    """Of label sets: a text shows a class if its cue stands in it."""
    chance = random.Random(1)
    shown = torch.tensor([[chance.random() < 0.5 for _ in range(2)] for _ in range(count)])
    given = texts([" ".join(f"cue{place}" for place in range(2) if row[place]) or "none" for row in shown.tolist()])
    return fit_head(LabelledFeatures(bags_of(given), shown, ("a", "b")), None, QUICK)
