"""What an evaluation is made of: a model's predictions for labelled examples, the best constant answer beside them, and the words for a head's settings."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from thaw.dataset.groups import groups_of
from thaw.dataset.manifest import Example
from thaw.heads import FittedHead
from thaw.models.prediction.answer import Answer
from thaw.targets.predictions import Predictions
from thaw.targets.target import target_named


def predictions_of(test: Sequence[Example], given: Answer) -> Predictions:
    """The model's predictions for the test examples, row for row."""
    return Predictions(
        given.class_names,
        tuple(example.digest for example in test),
        tuple(example.path for example in test),
        target_named(given.target_name).encode(test, given.class_names).numpy(),
        given.probabilities,
        given.closed_set,
        groups=groups_of(test),
    )


def constantly(train: Sequence[Example], predictions: Predictions) -> Predictions:
    """The best constant answer for the same rows, with the training shares of the classes as probabilities. train: the training examples."""
    target, names = predictions.target, predictions.class_names
    targets = target.encode(train, names)
    shares = (target.class_counts(targets, len(names)) / len(train)).expand(len(predictions), -1)
    named = target.constant(targets, len(names)).expand(len(predictions), -1)
    probabilities = np.asarray(shares.numpy(), np.float32)
    return replace(predictions, probabilities=probabilities, decided=named.numpy())


def settings_of(head: FittedHead) -> tuple[tuple[str, str], ...]:
    """The chosen setting of a head and its temperature, as names and values for people."""
    best = next((trial for trial in head.trials if trial.chosen), None)
    tried = "the names of the classes" if best is None else f"{best.setting} (of {len(head.trials)} tried)"
    return (("setting", tried), ("temperature", f"{head.temperature:.2f}"))
