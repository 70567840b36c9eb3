"""The mistakes on the page of `evaluate`, marked by what spoke for the wrong class."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from openness_rows import predictor_on_digits
from opinions import predictor_on_opinions
from serving_app import digit_files

from tasks.stages.evaluate.mistakes import Shower, class_in_question
from thaw.dataset.places import Places
from thaw.evaluation.evaluation import Shown
from thaw.foundation.files.atomic import digest_bytes
from thaw.kinds.images.kind import KIND as IMAGES
from thaw.kinds.kind import Limits
from thaw.kinds.texts.kind import KIND


def mistake_in(folder: Path, name: str, content: bytes, labels: tuple[str, ...], predicted: tuple[str, ...]) -> Shown:
    (folder / name).write_bytes(content)
    return Shown(digest_bytes(content), name, labels, predicted, 0.9)


def test_the_words_for_the_class_in_question_are_marked(tmp_path: Path) -> None:
    mistakes = [
        mistake_in(tmp_path, "a.txt", "A superb  story, <i>הסרט</i>".encode(), ("bad",), ("good",)),
        mistake_in(tmp_path, "b.txt", b"unknown words alone", ("bad",), ("good",)),
    ]
    shown = Shower(Places(tmp_path), KIND, Limits(), predictor_on_opinions()).show(mistakes)
    first, second = (shown.previews[mistake.digest] for mistake in mistakes)
    text = first.content.decode()
    strongest = max(first.marks, key=lambda mark: mark.strength)
    assert text == "A superb  story, <i>הסרט</i>" and text[strongest.span.start : strongest.span.end] == "superb"
    assert shown.explained == {mistakes[0].digest: "good"}
    assert second.content == b"unknown words alone" and second.marks == ()


def test_examples_without_parts_are_shown_as_they_are(tmp_path: Path) -> None:
    mistake = mistake_in(tmp_path, "a.png", digit_files(1)[0], ("0",), ("1",))
    shown = Shower(Places(tmp_path), IMAGES, Limits(), predictor_on_digits()).show([mistake])
    assert shown.previews[mistake.digest].media_type.startswith("image/") and shown.explained == {}


@pytest.mark.parametrize(
    ("labels", "predicted", "wrong"),
    [(("a",), ("b",), "b"), (("a",), ("a", "b", "c"), "c"), (("a", "b"), ("c",), "c"), (("a", "b", "c"), ("c",), "a")],
)
def test_of_a_set_the_surest_wrong_decision_is_explained(
    labels: tuple[str, ...], predicted: tuple[str, ...], wrong: str
) -> None:
    log_odds = torch.tensor([-2.0, 1.0, 3.0])
    assert class_in_question(Shown(b"", "", labels, predicted, 0.5), log_odds, ("a", "b", "c")) == wrong


def test_the_first_images_are_shown_under_a_map_of_where_the_network_looked(tmp_path: Path) -> None:
    contents = digit_files(3)[:3]
    examples = [mistake_in(tmp_path, f"{n}.png", content, ("0",), ("1",)) for n, content in enumerate(contents)]
    model = predictor_on_digits()
    names = model.class_names
    examples = [replace(each, labels=names[:1], predicted=names[1:2]) for each in examples]
    shown = Shower(Places(tmp_path), IMAGES, Limits(), model, maps=2).show(examples)
    assert [each.digest in shown.explained for each in examples] == [True, True, False]
    assert set(shown.explained.values()) == {names[1]} and shown.legend == IMAGES.map_words
    again = Shower(Places(tmp_path), IMAGES, Limits(), model, maps=2).show(examples)
    assert again.previews == shown.previews, "the same example gives the same map"
