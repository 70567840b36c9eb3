"""An export that says something else than the model is not handed out."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from exports import images, model

from thaw.foundation.errors import BadExport
from thaw.models.exporting.checking import check
from thaw.models.exporting.formats import Format
from thaw.models.exporting.graph import Arrays, ExamplesToAnswer

Change = Callable[[Arrays], Arrays]


@dataclass
class Changed:
    """Says what the graph of a model would say, and changes it in the second call."""

    kind: str
    change: Change
    name: str = "changed"
    calls: int = 0

    def run(self, pixels: torch.Tensor) -> Arrays:
        with torch.no_grad():
            found = tuple(each.numpy() for each in ExamplesToAnswer(model(self.kind)).eval()(pixels))
        self.calls += 1
        return self.change(found) if self.calls == 2 else found


def first_row(number: float) -> Change:
    def change(found: Arrays) -> Arrays:
        probabilities = found[0].copy()
        probabilities[0] += number
        return (probabilities, *found[1:])

    return change


def test_what_agrees_passes_and_is_measured() -> None:
    found = check(model("linear"), Changed("linear", first_row(2e-4)), images("linear", 6))
    assert found.examples == 6 and found.runtime == "changed" and found.agreement.labels_equal == 1
    assert found.agreement.largest_difference == pytest.approx(2e-4, rel=0.01)


@pytest.mark.parametrize("change", [first_row(0.002), first_row(np.nan), lambda found: (found[0][:, ::-1],)])
def test_what_does_not_is_refused(change: Change) -> None:
    with pytest.raises(BadExport, match="differs from the model: on 6 examples, run by changed"):
        check(model("linear"), Changed("linear", change), images("linear", 6))


def test_a_known_score_that_is_off_is_refused() -> None:
    def change(found: Arrays) -> Arrays:
        return (found[0], found[1] + 0.01, found[2])

    with pytest.raises(BadExport, match=r"100\.0% of the labels are equal"):
        check(model("opened by neighbours"), Changed("opened by neighbours", change), images("linear", 6))


def test_of_nearest_neighbours_one_image_in_fifty_may_differ() -> None:
    found = check(model("knn"), Changed("knn", first_row(0.01)), images("knn", 60))
    assert found.agreement.largest_difference > 0.001
    with pytest.raises(BadExport):
        check(model("knn"), Changed("knn", first_row(0.01)), images("knn", 20))


def test_integers_of_8_bits_may_move_probabilities_a_little() -> None:
    moved = check(model("linear"), Changed("linear", first_row(0.05)), images("linear", 40), Format.INT8)
    assert moved.agreement.largest_difference == pytest.approx(0.05, rel=0.01)
    with pytest.raises(BadExport, match=r"0\.1 is allowed.*export without --int8"):
        check(model("linear"), Changed("linear", lambda found: (found[0] + 0.2,)), images("linear", 6), Format.INT8)
