"""The model of the tests of this folder, fitted once."""

import pytest
from notebook_models import Fitted, fit_digits


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    return fit_digits(tmp_path_factory.mktemp("notebook"))
