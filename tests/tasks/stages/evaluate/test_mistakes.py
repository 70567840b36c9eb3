"""The mistakes on the page of `evaluate`, marked by what spoke for the wrong class."""

from pathlib import Path

import pytest
import torch
from openness_rows import predictor_on_digits
from opinions import predictor_on_opinions
from serving_app import digit_files

from tasks.stages.evaluate.mistakes import show_mistakes, wrong_class
from thaw.dataset.places import Places
from thaw.evaluation.evaluation import Mistake
from thaw.foundation.files.atomic import digest_bytes
from thaw.kinds.images.kind import KIND as IMAGES
from thaw.kinds.kind import Limits
from thaw.kinds.texts.kind import KIND
from thaw.models.explanation import Explanation


def mistake_in(folder: Path, name: str, content: bytes, labels: tuple[str, ...], predicted: tuple[str, ...]) -> Mistake:
    (folder / name).write_bytes(content)
    return Mistake(digest_bytes(content), name, labels, predicted, 0.9)


def test_the_words_for_the_wrong_class_are_marked(tmp_path: Path) -> None:
    mistakes = [
        mistake_in(tmp_path, "a.txt", "A superb  story, <i>הסרט</i>".encode(), ("bad",), ("good",)),
        mistake_in(tmp_path, "b.txt", b"unknown words alone", ("bad",), ("good",)),
    ]
    shown = show_mistakes(mistakes, Places(tmp_path), KIND, Limits(), predictor_on_opinions())
    first, second = (shown.previews[mistake.digest] for mistake in mistakes)
    text = first.content.decode()
    strongest = max(first.marks, key=lambda mark: mark.strength)
    assert text == "A superb  story, <i>הסרט</i>" and text[strongest.span.start : strongest.span.end] == "superb"
    assert shown.explained == {mistakes[0].digest: "good"}
    assert second.content == b"unknown words alone" and second.marks == ()


def test_examples_without_parts_are_shown_as_they_are(tmp_path: Path) -> None:
    mistake = mistake_in(tmp_path, "a.png", digit_files(1)[0], ("0",), ("1",))
    shown = show_mistakes([mistake], Places(tmp_path), IMAGES, Limits(), predictor_on_digits())
    assert shown.previews[mistake.digest].media_type.startswith("image/") and shown.explained == {}


@pytest.mark.parametrize(
    ("labels", "predicted", "wrong"),
    [(("a",), ("b",), "b"), (("a",), ("a", "b", "c"), "c"), (("a", "b"), ("c",), "c"), (("a", "b", "c"), ("c",), "a")],
)
def test_of_a_set_the_surest_wrong_decision_is_explained(
    labels: tuple[str, ...], predicted: tuple[str, ...], wrong: str
) -> None:
    found = Explanation("", (), torch.zeros(0, 3), torch.tensor([-2.0, 1.0, 3.0]))
    assert wrong_class(Mistake(b"", "", labels, predicted, 0.5), found, ("a", "b", "c")) == wrong
