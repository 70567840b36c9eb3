"""The report says what was measured, holds all it needs, and trusts no name."""

import re

from evaluations import (
    HOSTILE,
    hostile_evaluation,
    hostile_ingest,
    hostile_predictions,
    rejecting_evaluation,
    thumbnail,
)

from thaw.evaluation.evaluation import confident_mistakes, top_confusions
from thaw.evaluation.report import Origin, figure_pngs, render_report, verdict
from thaw.kinds.images.kind import KIND
from thaw.kinds.kind import Preview
from thaw.kinds.parts import Mark, Span
from thaw.kinds.texts.kind import KIND as TEXTS
from thaw.pages.layout import percent


def page() -> str:
    evaluation = hostile_evaluation()
    pictures = {mistake.digest: thumbnail() for mistake in evaluation.mistakes}
    return render_report(
        evaluation, hostile_ingest(), Origin(HOSTILE, (("commit", HOSTILE),), HOSTILE), pictures, KIND.words
    )


def test_hostile_names_stay_text() -> None:
    html = page()
    assert HOSTILE not in html
    assert html.count("&lt;script&gt;") >= 8
    assert html.count("<script>") == 1, "the page's own"


def test_it_needs_nothing_from_outside() -> None:
    html = page()
    # Names of XML namespaces are no requests.
    addresses = set(re.findall(r'(?:src|href)\s*=\s*"([^"]*)"', html))
    assert all(address.startswith(("data:", "#")) for address in addresses), addresses
    assert "@import" not in html and "url(http" not in html


def test_it_says_the_figures() -> None:
    evaluation, html = hostile_evaluation(), page()
    assert verdict(evaluation, KIND.words).startswith(
        f"The model is right on {percent(evaluation.metrics.accuracy.value)} of 60 test"
    )
    assert "over training the same network from scratch" in html
    assert "3 images have no label yet" in html and "2 files were rejected" in html
    assert "can&#39;t tell" in html and ">helps<" in html


def test_mistakes_are_the_most_confident_ones_in_order() -> None:
    predictions = hostile_predictions()
    mistakes = confident_mistakes(predictions, 1000)
    wrong = predictions.predicted != predictions.targets
    assert len(mistakes) == wrong.sum() > 5
    assert [one.confidence for one in mistakes] == sorted(
        (float(c) for c in predictions.confidences[wrong]), reverse=True
    )
    assert all(one.labels != one.predicted for one in mistakes)


def test_confusions_are_counted() -> None:
    evaluation = hostile_evaluation()
    assert sum(pair.count for pair in top_confusions(evaluation, 99)) == evaluation.wrong


def test_every_figure_is_a_picture() -> None:
    figures = dict(figure_pngs(hostile_evaluation(), KIND.words))
    assert set(figures) == {"accuracy", "confusion", "reliability", "classes", "transfer"}
    assert all(content.startswith(b"\x89PNG") for content in figures.values())


def test_the_same_evaluation_gives_the_same_page() -> None:
    assert page() == page()


def test_marked_mistakes_say_for_which_class_and_how_to_read_the_marks() -> None:
    evaluation = hostile_evaluation()
    marked = Preview("text/plain", b"<i>good</i>", marks=(Mark(Span(3, 7), 1.0),))
    digests = [mistake.digest for mistake in evaluation.mistakes]
    html = render_report(
        evaluation, hostile_ingest(), Origin("t", (), ""), dict.fromkeys(digests, marked), TEXTS.words,
        explained=dict.fromkeys(digests, HOSTILE),
    )  # fmt: skip
    assert html.count('&lt;i&gt;<mark class="for s3">good</mark>&lt;/i&gt;') == len(digests) and 'id="marks"' in html
    assert html.count("marked for <b><bdi>&lt;script&gt;") == len(digests) and HOSTILE not in html
    assert 'id="marks"' not in page() and "<mark" not in page()


def test_a_model_that_says_neither_has_a_section_of_its_own_and_others_have_none() -> None:
    evaluation = rejecting_evaluation()
    html = render_report(
        evaluation, hostile_ingest(), Origin(HOSTILE, (), HOSTILE), dict.fromkeys(
            (mistake.digest for mistake in evaluation.mistakes), thumbnail()
        ), KIND.words,
    )  # fmt: skip
    assert evaluation.rejections is not None
    assert f"Of the 60 test images of known classes it wrongly rejects {percent(0.25)}" in html
    assert "Energy (used)" in html or "Distance to the nearest neighbours (used)" in html
    assert "The bound is for images like those of the classes left out" in html
    assert HOSTILE not in html and html.count("<script>") == 1
    assert 'id="neither"' in html and 'id="neither"' not in page()
    assert dict(figure_pngs(evaluation, KIND.words))["openness"].startswith(b"\x89PNG")
