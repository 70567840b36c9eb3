"""The advice as a whole, on handwriting whose early or late layer is made the better one."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from advised import DIGITS, HEAD, ONCE, WORDS, advice_of, coarse, handwriting, pool_of, situation_of

from thaw.foundation.errors import BadArtifact, BadParameters
from thaw.params.sections import StrategyParams
from thaw.strategies.advice import words
from thaw.strategies.advice.advising import advise
from thaw.strategies.advice.page import figure_pngs, render_advice
from thaw.strategies.advice.pool import Pool
from thaw.strategies.advice.record import Advice, as_json, read_advice, read_predicted, write_advice, write_predicted


@pytest.fixture(scope="module")
def similar() -> Advice:
    return advice_of(pool_of(12))


@pytest.fixture(scope="module")
def different() -> Advice:
    return advice_of(pool_of(12, late_is_better=False))


def test_where_the_last_layer_wins_the_backbone_is_kept(similar: Advice) -> None:
    assert similar.case.similarity == "similar" and similar.size.small
    assert str(similar.recommended.strategy) == "linear" and similar.automatic
    assert "bear that out" not in words.the_case(similar, WORDS)


def test_where_an_earlier_layer_wins_it_is_cut_there(different: Advice) -> None:
    assert different.case.similarity == "different"
    assert str(different.recommended.strategy) == "cut at early"
    assert different.followed.predicted is not None and different.followed.predicted.value > 0.8
    assert words.verdict(different).startswith("Cut the backbone at early")


def test_the_same_situation_gives_the_same_advice_but_for_times(different: Advice) -> None:
    def timeless(advice: Advice) -> Advice:
        options = tuple(dataclasses.replace(option, minutes=None) for option in advice.options)
        return dataclasses.replace(advice, options=options)

    assert timeless(advice_of(pool_of(12, late_is_better=False))) == timeless(different)


def test_a_fixed_strategy_is_followed_and_the_advice_still_said() -> None:
    advice = advice_of(pool_of(8, late_is_better=False), ONCE.model_copy(update={"kind": "knn"}))
    assert str(advice.followed.strategy) == "knn" and not advice.automatic
    assert "The advice would have been: cut the backbone at early" in words.verdict(advice)
    assert any("strategy.kind=auto" in step for step in words.next_steps(advice, WORDS))


def test_one_layer_says_how_to_cache_more() -> None:
    pool = pool_of(6)
    advice = advice_of(Pool({"late": pool.features["late"]}, pool.targets, DIGITS))
    assert advice.case.similarity == "can't tell"
    assert any("backbone.layers=[blocks]" in step for step in words.next_steps(advice, WORDS))
    with pytest.raises(BadParameters, match="cut needs an earlier layer"):
        advice_of(Pool({"late": pool.features["late"]}, pool.targets, DIGITS), StrategyParams(kind="cut", repeats=1))


def test_one_image_a_class_still_ends_with_a_strategy(tmp_path: Path) -> None:
    advice = advice_of(pool_of(1))
    assert str(advice.followed.strategy) == "linear" and advice.followed.predicted is None
    assert "no example could be held out" in words.the_case(advice, WORDS)
    assert "Not measured" in render_advice(advice, "one", WORDS) and figure_pngs(advice, WORDS) == []
    write_predicted(advice.followed.predicted, tmp_path / "predicted.json")
    assert read_predicted(tmp_path / "predicted.json") is None


def test_pixels_as_good_as_the_backbone_raise_a_doubt() -> None:
    pixels, targets = handwriting(12)
    features = {"late": coarse(pixels)}
    references = Pool({**features, "pixels": pixels}, targets, DIGITS)
    advice = advise(situation_of(Pool(features, targets, DIGITS), references=references), ONCE, HEAD)
    assert any("grey levels is better" in doubt and "hurts" in doubt for doubt in advice.doubts)
    page = render_advice(advice, "digits", WORDS)
    assert "transfer hurts here" in page and "the same 120 digits, and in the same folds" in page and "Dashed" in page
    assert advice.comparison is not None and advice.comparison.accuracy == advice.layers[0].accuracy


def test_a_sample_that_pixels_are_judged_on_is_stated_and_judges_the_best_layer_too() -> None:
    pixels, targets = handwriting(12)
    pool = Pool({"late": coarse(pixels)}, targets, DIGITS)
    kept = pool.target.sample(targets, 60, 0)
    references = Pool({"late": coarse(pixels)[kept], "pixels": pixels[kept]}, targets[kept], DIGITS)
    advice = advise(situation_of(pool, references=references), ONCE, HEAD)
    compared = advice.comparison
    assert compared is not None and (compared.rows, advice.evidence.rows) == (60, 120)
    (beside,) = compared.references
    assert compared.accuracy.value - beside.accuracy.value == pytest.approx(beside.lead.value)
    page = render_advice(advice, "digits", WORDS)
    assert "the same 60 digits, a sample of the 120" in page and "Dashed" not in page


def test_few_images_say_that_they_cannot_rank(similar: Advice) -> None:
    assert similar.resolution is not None and similar.resolution > words.COARSE
    said = words.ranking(similar, WORDS)
    assert "cannot rank strategies" in said and "153 test digits alone" in said
    assert "The test digits were not looked at" in said


def test_it_survives_the_disk(different: Advice, tmp_path: Path) -> None:
    path = tmp_path / "advice.json"
    write_advice(different, path)
    assert read_advice(path) == different
    assert json.loads(path.read_text()) == as_json(different)
    write_predicted(different.followed.predicted, path)
    assert read_predicted(path) == different.followed.predicted
    for read in (read_advice, read_predicted):
        path.write_text("{torn")
        with pytest.raises(BadArtifact, match="thaw run --stage advise"):
            read(path)
        path.unlink(missing_ok=True)
        with pytest.raises(BadArtifact, match="thaw run --stage advise"):
            read(path)


def test_the_page_tells_it_plainly_and_escapes_names(different: Advice) -> None:
    hostile = dataclasses.replace(different.layers[0], name="<script>x</script>")
    page = render_advice(dataclasses.replace(different, layers=(hostile, *different.layers[1:])), "a & b", WORDS)
    assert "<script>x" not in page and "&lt;script&gt;x" in page and "a &amp; b" in page
    assert "Cut the backbone at early" in page and "http" not in page.replace("http-equiv", "").replace(
        "http://www.w3.org", ""
    )
    assert {name for name, _ in figure_pngs(different, WORDS)} == {"depth", "curve"}


def test_keys_of_files_are_from_when_all_examples_were_images(different: Advice, tmp_path: Path) -> None:
    write_advice(different, tmp_path / "advice.json")
    size = json.loads((tmp_path / "advice.json").read_text())["size"]
    assert size["images"] == 120 and {"name", "images", "effective"} == set(size["classes"][0])


def test_the_page_says_the_words_of_the_kind(different: Advice) -> None:
    page = render_advice(different, "sums", WORDS)
    assert "120 digits to learn from" in page and "120 labelled digits" in page and "Digits/s" in page
    assert "the folds were drawn once" in page


def test_every_row_of_the_table_says_what_was_measured(different: Advice) -> None:
    rows = words.option_rows(different, WORDS)
    assert [row.name for row in rows] == ["linear", "mlp", "knn", "cut at early"]
    assert [row.followed for row in rows] == [False, False, False, True]
    assert [row.judged for row in rows] == ["120 digits, once"] * 4 and rows[0].linear == "" and rows[3].linear != ""
    assert rows[3].megabytes == "1.0 MB" and rows[3].speed == "900" and "points" in rows[3].gain


def test_an_option_that_is_as_good_and_cheaper_is_named() -> None:
    pixels, targets = handwriting(12)
    advice = advice_of(Pool({"early": pixels, "late": pixels + 0.0}, targets, DIGITS))
    assert str(advice.followed.strategy) == "linear", "equal is not better"
    assert any(
        "Cut at early is about as good" in step and "3.0 times as fast" in step
        for step in words.next_steps(advice, WORDS)
    )


def test_groups_and_rows_that_only_judge_are_taken(similar: Advice) -> None:
    pool = pool_of(8)
    learns = torch.arange(len(pool)) % 2 == 0
    advice = advice_of(Pool(pool.features, pool.targets, DIGITS, torch.arange(len(pool)) // 2, learns))
    assert advice.evidence.rows == len(pool)
