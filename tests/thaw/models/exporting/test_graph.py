"""The graph of a model: its outputs, its batch, and what it carries."""

import pytest
import torch
from exports import images, inexpressible, model

from thaw.foundation.errors import BadExport
from thaw.models.exporting.graph import export_program, inputs_of, outputs_of


def test_its_input_is_what_preprocessing_makes() -> None:
    assert inputs_of(model("linear"))[0].shape == ("N", 3, 32, 32)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_batch_may_have_any_length(count: int) -> None:
    predictor = model("knn")
    (found,) = export_program(predictor).module()(torch.stack(images("knn", count)))
    assert found.dtype == torch.float32 and found.shape == (count, 3)
    assert torch.allclose(found, torch.from_numpy(predictor.predict(images("knn", count)).probabilities), atol=1e-6)


def test_it_gives_the_outputs_that_are_named_of_the_types_that_are_stated() -> None:
    for kind in ("opened by energy", "sets"):
        predictor = model(kind)
        found = export_program(predictor).module()(torch.stack(images(kind, 3)))
        stated = outputs_of(predictor)
        assert [str(each.dtype).removeprefix("torch.") for each in found] == [one.dtype for one in stated]
        assert [tuple(each.shape) for each in found] == [(3, *one.shape[1:]) for one in stated]


def test_it_carries_no_example_and_no_path_of_this_machine() -> None:
    program = export_program(model("linear"))
    assert program.example_inputs is None
    assert not any("stack_trace" in node.meta for node in program.graph.nodes)


def test_what_torch_cannot_express_is_said_in_words() -> None:
    with pytest.raises(BadExport, match=r"torch\.export cannot express thaw_small: "):
        export_program(inexpressible())
