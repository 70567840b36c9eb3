"""What is served says what the predictor says."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from openness_rows import opened_predictor, predictor_on_digits
from PIL import Image
from serving_app import classifier_of, digit_files, digit_gallery

from thaw.foundation.errors import BadExample
from thaw.kinds.kind import Limits
from thaw.models.prediction.predictor import Predictor


def label_set_predictor() -> Predictor:
    """The digits' model with a threshold for each class, as if an image might show several."""
    plain = predictor_on_digits()
    head = replace(plain.head, temperature=1.0, target_name="label_sets", thresholds=(0.6, 0.5, 0.5))
    return Predictor(plain.backbone, head, plain.layer)


@pytest.mark.parametrize("predictor", [predictor_on_digits(), opened_predictor()], ids=["plain", "opened"])
def test_labels_probabilities_and_neither_are_the_predictors(predictor: Predictor) -> None:
    classifier, files = classifier_of(predictor), digit_files(10)
    expected = predictor.predict([predictor.prepare(file, Limits(10**6)) for file in files])
    said = classifier.say([classifier.decode(file) for file in files])
    assert [one.label for one in said] == expected.labels
    assert np.allclose([one.probabilities for one in said], expected.probabilities, atol=1e-4)
    assert [one.confidence for one in said] == pytest.approx(expected.probabilities.max(1), abs=1e-4)
    if expected.known_scores is None:
        assert {one.known_score for one in said} == {None}
    else:
        assert [one.known_score for one in said] == pytest.approx(expected.known_scores, abs=1e-3)
        assert "neither" in {one.label for one in said}


def test_sets_are_the_predictors() -> None:
    predictor, files = label_set_predictor(), digit_files(6)
    classifier = classifier_of(predictor)
    expected = predictor.predict([predictor.prepare(file, Limits(10**6)) for file in files])
    said = classifier.say([classifier.decode(file) for file in files])
    assert [list(one.labels or ()) for one in said] == expected.labels
    assert {one.label for one in said} == {None}


def test_an_image_of_the_gallery_is_nearest_to_itself() -> None:
    predictor = predictor_on_digits()
    gallery = digit_gallery(predictor)
    classifier = classifier_of(predictor, gallery)
    for row in (0, 5):
        said = classifier.say([classifier.decode(gallery.previews[row].content)])[0]
        (first, similarity), *rest = classifier.nearest(said, 3)
        assert first == row and similarity > 0.999 and len(rest) == 2


def test_a_gallery_of_other_features_is_left_aside() -> None:
    predictor = predictor_on_digits()
    gallery = digit_gallery(predictor)
    classifier = classifier_of(predictor, replace(gallery, features=torch.zeros(len(gallery), 3)))
    said = classifier.say([classifier.decode(digit_files(1)[0])])[0]
    assert classifier.gallery is None and classifier.nearest(said, 3) == []


def thin(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"words", "not an image"),
        (digit_files(1)[0][:60], "truncated or damaged"),
        (thin(2000, 2000), "megapixels"),
    ],
    ids=["empty", "words", "torn", "large"],
)
def test_what_cannot_be_used_says_why(content: bytes, reason: str) -> None:
    classifier = classifier_of(predictor_on_digits())
    with pytest.raises(BadExample, match=reason):
        classifier.decode(content)


def test_a_thin_strip_is_refused_before_it_is_resized_to_gigabytes() -> None:
    plain = predictor_on_digits()
    shorter_side = replace(plain.backbone.preprocessing, resize=32, crop=32)
    classifier = classifier_of(replace(plain, backbone=replace(plain.backbone, preprocessing=shorter_side)))
    assert classifier.decode(thin(3000, 2)).shape == (3, 32, 32)
    with pytest.raises(BadExample, match="too long and thin"):
        classifier.decode(thin(900_000, 1))
