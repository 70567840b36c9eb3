"""The certificate's page and its words."""

from certificates import HOSTILE, WORDS, certificate

from thaw.evaluation.certificate import words
from thaw.evaluation.certificate.page import figure_pngs, render_certificate


def test_the_page_says_the_verdict_and_escapes_what_it_is_given() -> None:
    page = render_certificate(certificate(), HOSTILE, WORDS)
    assert HOSTILE not in page and "&lt;b&gt;evil" in page
    assert "transfer helps" in page and 'id="contest"' in page
    assert page.count("<svg") == 2
    assert "200 test sounds" in page and "50 labelled sounds" in page and "Sounds/s" in page and "example" not in page
    assert "Against always naming the most frequent class, transfer helps: +" in page


def test_it_says_where_the_test_split_cannot_rank() -> None:
    assert any("cannot rank" in remark for remark in words.remarks(certificate(rows=60), WORDS))
    assert not any("cannot rank" in remark for remark in words.remarks(certificate(rows=20000), WORDS))


def test_it_says_that_the_highest_value_may_be_luck() -> None:
    alike = (certificate(rows=100, shares={"linear": 0.9, "full": 0.9}, seed=seed) for seed in range(9))
    lucky = next(one for one in alike if 0 < one.entry("full").lead.accuracy.value < 0.03)  # type: ignore[union-attr]
    assert any("not shown to be better" in remark for remark in words.remarks(lucky, WORDS))


def test_a_strategy_that_was_not_compared_is_stood_for_by_the_linear_head() -> None:
    found = certificate("cut")
    assert words.followed(found) == "linear"
    assert any("was not compared" in remark for remark in words.remarks(found, WORDS))


def test_the_plain_model_is_deployed_and_transfer_is_ruled_against_it() -> None:
    found = certificate("plain", shares={"linear": 0.6, "plain": 0.9, "majority": 0.3})
    said = words.verdict(found, WORDS)
    assert said.startswith("“plain”")
    assert said.endswith("against a linear model on mean log-mel spectra, without a backbone, transfer hurts.")
    assert any("transfers nothing" in remark for remark in words.remarks(found, WORDS))
    assert words.followed(found) == "plain"


def test_figures_are_pictures() -> None:
    assert [(name, content[:4]) for name, content in figure_pngs(certificate(), WORDS)] == [
        ("accuracy", b"\x89PNG"),
        ("price", b"\x89PNG"),
    ]
