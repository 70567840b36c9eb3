"""Real handwriting as features: scikit-learn's digits, 64 pixels each."""

from collections.abc import Iterator

import pytest
import torch
from sklearn.datasets import load_digits

from thaw.foundation.parallel.torch_threads import threads
from thaw.targets.labelled import LabelledFeatures

DIGITS = tuple("0123456789")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As `fit_head` does it for inputs as small as these."""
    with threads(1):
        yield


@pytest.fixture(scope="session")
def digits() -> LabelledFeatures:
    """All 1797 images; some pixels are constant."""
    images = load_digits()
    return LabelledFeatures(torch.tensor(images.data).float(), torch.tensor(images.target), DIGITS)


@pytest.fixture(scope="session")
def train(digits: LabelledFeatures) -> LabelledFeatures:
    """The first 600 images."""
    return digits.rows(torch.arange(600))


@pytest.fixture(scope="session")
def val(digits: LabelledFeatures) -> LabelledFeatures:
    """The next 400 images."""
    return digits.rows(torch.arange(600, 1000))


@pytest.fixture(scope="session")
def few(digits: LabelledFeatures) -> LabelledFeatures:
    """5 images of each class, fewer than there are pixels."""
    rows = [torch.nonzero(digits.targets == number).flatten()[:5] for number in range(10)]
    return digits.rows(torch.cat(rows))


@pytest.fixture(scope="session")
def unseen(digits: LabelledFeatures) -> LabelledFeatures:
    """The last 797 images."""
    return digits.rows(torch.arange(1000, 1797))
