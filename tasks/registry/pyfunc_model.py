"""The registered model, as MLflow loads it: this file is logged as code beside `thaw/`, and knows nothing else of the pipeline."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext

from thaw.foundation.errors import BadExample
from thaw.kinds.batches import Batch
from thaw.kinds.kind import Limits
from thaw.models.prediction.reading import Model, read_model

LIMITS = Limits(100_000_000)
BATCH = 64
_SHOWN = 200
"""The longest path or text that an error repeats."""


class Classifier(PythonModel):
    """Labels examples: paths, bytes, `data:` URLs, or numbers as `Kind.from_value` takes them; one a row, in any mixture."""

    def load_context(self, context: PythonModelContext) -> None:
        self.predictor = read_model(Path(context.artifacts["model"]))

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """A row an example: label, confidence, and a probability for each class (`p_NAME`); float32.

        A model with openness has `neither` as the label of an input of no known class, and one more column: `known_score`, larger for better known inputs. The
        confidence is still that of the most probable class.

        A model that was trained on sets of labels has the column `labels` in the place of label and confidence: a list of names, which may be empty. Each
        probability is then that of a class by itself.

        A model of triggers has `labels`, the triggers that are in a recording, and two columns of lists of one length: `heard`, the trigger of each event, and
        `at_s`, its time in seconds. A probability is that of the highest score, and is not calibrated.

        `model_input` is a list of examples, or a table with one column of them.

        Raises:
            ValueError: an example cannot be used; the message names its row.
        """
        tables = [self._table(batch, start) for start, batch in _batches(examples_of(model_input))]
        return pd.concat(tables, ignore_index=True)

    def _table(self, batch: list[object], start: int) -> pd.DataFrame:
        """The rows of a batch, the first of which is row `start`."""
        reply = self.predictor.predict([prepared(value, row, self.predictor) for row, value in enumerate(batch, start)])
        columns = pd.DataFrame(reply.probabilities, columns=[f"p_{name}" for name in reply.class_names])
        return pd.concat([pd.DataFrame(reply.columns), columns], axis=1)


def _batches(values: list[object]) -> Iterator[tuple[int, list[object]]]:
    """No more than a batch is decoded at a time; of nothing there is one batch, which is empty."""
    for start in range(0, max(1, len(values)), BATCH):
        yield start, values[start : start + BATCH]


def examples_of(given: object) -> list[object]:
    """The examples in whatever `predict` was given: a table's one column, a list, an array with an example in each row.

    Raises:
        ValueError: a table has more columns, or what was given is no list.
    """
    if isinstance(given, pd.DataFrame):
        if given.shape[1] != 1:
            raise ValueError(f"a table with {given.shape[1]} columns given; one column, of examples, is taken")
        return list(given.iloc[:, 0])
    if isinstance(given, list | tuple | pd.Series | np.ndarray):
        return list(given)
    raise ValueError(f"{type(given).__name__} given; a list of examples, or a table with one column of them, is taken")


def prepared(value: object, row: int, predictor: Model) -> Batch:
    """One example as the backbone takes it, whether it came as a path, as bytes, as a `data:` URL or as numbers.

    Raises:
        ValueError: it is none; the message names the row.
    """
    kind = predictor.backbone.kind
    try:
        return predictor.prepare(kind.from_value(value), LIMITS)
    except (BadExample, OSError, ValueError, TypeError) as error:
        shown = f" ({value})" if isinstance(value, str | Path) and len(str(value)) < _SHOWN else ""
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ValueError(f"row {row}{shown} is no {kind.words.one} that can be used: {reason}") from error


mlflow.models.set_model(Classifier())
