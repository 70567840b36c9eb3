"""Heads of the names of classes."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from thaw.heads import read_head, write_head
from thaw.heads.text_head import prompts_of, text_head, text_model, words_of
from thaw.kinds.kind import Words
from thaw.params.sections import StrategyParams
from thaw.targets.labelled import LabelledFeatures

NAMES = ("first", "second", "third")


class Letters:
    """A text tower that knows texts by their letters."""

    scale, bias = 12.0, -3.0

    def embed(self, texts: Sequence[str]) -> torch.Tensor:
        """See `TextTower`."""
        counts = [[text.count(letter) + 0.1 for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts]
        return F.normalize(torch.tensor(counts), dim=1)


MODEL = text_model(Letters(), NAMES, ("{label}",))
ROWS = F.normalize(
    Letters().embed(NAMES).repeat(4, 1) + 0.05 * torch.randn(12, 26, generator=torch.Generator().manual_seed(0)), dim=1
)
ONE = LabelledFeatures(ROWS, torch.arange(3).repeat(4), NAMES)
SETS = LabelledFeatures(ROWS, torch.eye(3, dtype=torch.bool).repeat(4, 1), NAMES)


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("golden_retriever", "golden retriever"),
        ("light-and--bright", "light and bright"),
        ("n02099601-golden_retriever", "golden retriever"),
        ("012.Black_footed_Albatross", "Black footed Albatross"),
        ("3_series", "3 series"),
        ("7", "7"),
        ("0042", "0042"),
        ("-", "-"),
        ("größe", "größe"),
    ],
)
def test_labels_are_said_as_words(label: str, said: str) -> None:
    assert words_of(label) == said


def test_the_usual_prompt_is_that_of_the_kind_and_a_prompt_needs_a_place_for_the_name() -> None:
    words = Words("one", "many", "one.bin", "values", "a drawing of {label}")
    assert prompts_of(StrategyParams(), words) == ("a drawing of {label}",)
    assert prompts_of(StrategyParams(prompts=("the {label}",)), words) == ("the {label}",)
    with pytest.raises(ValueError, match=r"has no \{label\}"):
        StrategyParams(prompts=("a photo",))


@pytest.mark.parametrize("labelled", [ONE, SETS])
def test_without_labels_the_checkpoints_own_numbers_count_and_labels_only_calibrate(labelled: LabelledFeatures) -> None:
    nobody = text_head(MODEL, labelled.rows(torch.arange(0)))
    assert nobody.temperature == 1.0 and torch.equal(nobody.calibrated(nobody.logits(ROWS)), MODEL.logits(ROWS))
    head = text_head(MODEL, labelled)
    assert head.model is MODEL and head.trials == ()
    assert torch.equal(head.named(head.probabilities(ROWS)), labelled.target.indicators(labelled.targets, 3).bool())


@pytest.mark.parametrize("labelled", [ONE, SETS])
def test_it_is_stored_and_read_as_any_linear_head(labelled: LabelledFeatures, tmp_path: Path) -> None:
    head = text_head(MODEL, labelled)
    write_head(head, tmp_path)
    assert torch.equal(read_head(tmp_path).probabilities(ROWS), head.probabilities(ROWS))
