"""Where a network looked."""

from collections.abc import Sequence

import torch

from thaw.kinds.batches import Batch, tensor_of
from thaw.kinds.images.kind import KIND
from thaw.models.looking import MOST_ANSWERS, look


def test_it_finds_the_place_that_an_answer_rests_on() -> None:
    image = torch.full((3, 70, 70), 40, dtype=torch.uint8)
    image[:, 44:46, 14:16] = 255  # within the place of row 4 and column 1

    def log_odds(examples: Sequence[Batch]) -> torch.Tensor:
        assert len(examples) <= MOST_ANSWERS
        bright = torch.stack([tensor_of(each).float().amax() for each in examples]).double() / 100
        return torch.stack([bright, -bright], 1)

    gaze = look(image, KIND, log_odds)
    strengths = gaze.strengths(0).view(7, 7)
    assert gaze.drops.shape == (49, 2) and strengths[4, 1] == strengths.max() == 1
    assert strengths[0, 6] == 0 and torch.equal(gaze.strengths(1).view(7, 7), -strengths)
    assert gaze.parts.preview(gaze.strengths(0)) is not None


def test_an_answer_that_nothing_changes_has_no_strengths() -> None:
    gaze = look(torch.zeros(3, 14, 14, dtype=torch.uint8), KIND, lambda rows: torch.zeros(len(rows), 3).double())
    assert not gaze.strengths(2).any()
