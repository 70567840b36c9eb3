"""Logistic regression on bags beside scikit-learn's own pipeline."""

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from thaw.heads import fit_head
from thaw.heads.bags import fit_bags, is_bag
from thaw.params.sections import HeadParams
from thaw.targets.labelled import LabelledFeatures

SEEN = ["2 3 3 7", "2 2 5", "5 7 9 9 9", "3 9", "5 5 7", "2 3 9"]
UNSEEN = ["2 5 9", "7", "4 4", ""]
LABELS = [0, 1, 2, 0, 1, 0]


def bags(texts: list[str]) -> torch.Tensor:
    longest = max(len(text.split()) for text in texts)
    rows = [[int(part) for part in text.split()] for text in texts]
    return torch.tensor([row + [-1] * (longest - len(row)) for row in rows], dtype=torch.int32)


@pytest.mark.parametrize("classes", [2, 3])
def test_it_is_tf_idf_with_logistic_regression(classes: int) -> None:
    labels = np.minimum(LABELS, classes - 1)
    strength = 0.01
    pipeline = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, tokenizer=str.split, token_pattern=None),
        LogisticRegression(C=1 / (len(labels) * strength), max_iter=300),
    ).fit(SEEN, labels)
    (model,) = fit_bags(bags(SEEN), torch.tensor(labels), class_weights=torch.ones(classes), l2=[strength])
    found = model.logits(bags(UNSEEN)).softmax(1).numpy()
    assert found == pytest.approx(pipeline.predict_proba(UNSEEN), abs=1e-4)


def test_no_rows_have_no_logits() -> None:
    (model,) = fit_bags(bags(SEEN), torch.tensor(LABELS), class_weights=torch.ones(3), l2=[0.1])
    assert model.logits(bags(SEEN)[:0]).shape == (0, 3)


def test_a_class_weight_counts_like_copies_of_its_rows() -> None:
    labels = torch.tensor(np.minimum(LABELS, 1))
    weighted, copied = (
        fit_bags(*arguments, l2=[0.1], class_weights=weights)[0].logits(bags(UNSEEN)).softmax(1)
        for arguments, weights in (
            ((bags(SEEN), labels), torch.tensor([1.0, 2.0])),
            (
                (torch.cat([bags(SEEN), bags(SEEN)[labels == 1]]), torch.cat([labels, labels[labels == 1]])),
                torch.ones(2),
            ),
        )
    )
    # The weights of entries differ a little, because copies count as documents.
    assert torch.allclose(weighted, copied, atol=0.03)


def test_sets_of_labels_have_a_yes_or_no_each() -> None:
    shown = torch.tensor([[1, 0], [0, 1], [0, 1], [1, 0], [1, 1], [0, 0]], dtype=torch.bool)
    (model,) = fit_bags(bags(SEEN), shown, class_weights=torch.ones(2, 2), l2=[0.01])
    logits = model.logits(bags(SEEN))
    assert logits.shape == (6, 2) and ((logits > 0) == shown).float().mean() > 0.8


def test_a_head_is_fitted_on_bags_as_on_features() -> None:
    rows, labels = bags(SEEN * 8), torch.tensor(LABELS * 8)
    head = fit_head(LabelledFeatures(rows, labels, ("a", "b", "c")), None, HeadParams())
    assert is_bag(rows) and head.probabilities(bags(UNSEEN)).sum(1).tolist() == pytest.approx([1] * 4)
    assert head.named(head.probabilities(rows)).int().argmax(1).eq(labels).float().mean() == 1
    assert any(trial.chosen for trial in head.trials)
