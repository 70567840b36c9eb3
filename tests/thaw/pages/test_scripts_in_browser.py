"""Pages with texts and names of every script in a real browser: nothing is lost, run, or set in the wrong order."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import open_browser
from evaluations import hostile_evaluation, hostile_ingest
from scripts import ARABIC, EMOJI, FAMILY, HEBREW, NAMES, TEXTS
from selenium import webdriver
from selenium.webdriver.common.by import By

from thaw.evaluation.report import Origin, render_report
from thaw.kinds.kind import Limits
from thaw.kinds.texts.kind import KIND
from thaw.lineage.graph import Graph, Node
from thaw.lineage.graph import render_page as render_lineage
from thaw.review.findings import Finding
from thaw.review.page import build_sections
from thaw.review.page import render_page as render_review
from thaw.targets.label_sets.target import LABEL_SETS

FOLLOWS = """
const name = arguments[0], range = document.createRange();
range.setStart(name.nextSibling, 0); range.setEnd(name.nextSibling, 2);
const before = name.getBoundingClientRect(), after = range.getBoundingClientRect();
return after.top > before.top + 5 || after.left >= before.right - 1;
"""
"""Whether the text after a name is on its right, or on the next line."""
LIMITS = Limits()
PREVIEWS = [KIND.preview(text.encode(), LIMITS) for text in TEXTS]
WIDTHS = (1280, 390)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with open_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def opened(browser: webdriver.Chrome, html: str, folder: Path, width: int) -> webdriver.Chrome:
    file = folder / "page.html"
    file.write_text(html, encoding="utf-8")
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(file.as_uri())
    assert browser.title != "broken"
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    assert [line for line in browser.get_log("browser") if line["level"] == "SEVERE"] == []
    return browser


def direction(page: webdriver.Chrome, element: object) -> str:
    return str(page.execute_script("return getComputedStyle(arguments[0]).direction", element))


def check_excerpts(page: webdriver.Chrome) -> None:
    found = page.find_elements(By.CSS_SELECTOR, "pre.excerpt")
    texts = [element.get_property("textContent") for element in found]
    assert texts == [preview.content.decode() for preview in PREVIEWS][: len(found)] and len(found) >= 8
    for text in (HEBREW, ARABIC):
        assert (
            page.execute_script("return getComputedStyle(arguments[0]).textAlign", found[texts.index(text)]) == "start"
        )
        assert direction(page, found[texts.index(text)]) == "rtl"
    assert direction(page, found[4]) == "ltr"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_report_shows_texts_and_names_of_any_script(browser: webdriver.Chrome, tmp_path: Path, width: int) -> None:
    evaluation = hostile_evaluation((*NAMES[:2], NAMES[4]))
    mistakes = evaluation.mistakes
    previews = {mistake.digest: PREVIEWS[place] for place, mistake in enumerate(mistakes)}
    origin = Origin(f"{NAMES[0]} {FAMILY}", (("commit", NAMES[1]),), NAMES[0])
    page = opened(browser, render_report(evaluation, hostile_ingest(), origin, previews, KIND.words), tmp_path, width)
    found = page.find_elements(By.CSS_SELECTOR, "pre.excerpt")
    assert [each.get_property("textContent") for each in found] == [
        preview.content.decode() for preview in PREVIEWS[: len(mistakes)]
    ]
    names = [element.text for element in page.find_elements(By.CSS_SELECTOR, "#class-table td bdi")]
    assert sorted(names) == sorted(evaluation.class_names)
    first, *_ = (each for each in page.find_elements(By.CSS_SELECTOR, ".mistake b") if each.text in NAMES[:2])
    assert direction(page, first.find_element(By.TAG_NAME, "bdi")) == "rtl"
    for name in page.find_elements(By.CSS_SELECTOR, ".mistake b:first-of-type"):
        assert page.execute_script(FOLLOWS, name), f"what follows {name.text} stands on its right"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_review_shows_texts_and_sets_of_names(browser: webdriver.Chrome, tmp_path: Path, width: int) -> None:
    both = f"{NAMES[0]}|{NAMES[1]}"
    findings = [
        Finding("suspect", 1, f"{place:064d}", f"{HEBREW}.csv#{place}", "train", both, NAMES[4], 0.99, 0.004)
        for place in range(len(TEXTS))
    ]
    sections = build_sections(findings, {"suspect": len(TEXTS), "duplicate": 0, "unlabelled": 0})
    previews = {finding.digest: preview for finding, preview in zip(findings, PREVIEWS, strict=True)}
    html = render_review(NAMES[0], sections, NAMES, previews, words=KIND.words, target=LABEL_SETS)
    page = opened(browser, html, tmp_path, width)
    check_excerpts(page)
    shown = page.find_element(By.CSS_SELECTOR, ".example p b")
    assert shown.get_property("textContent") == f"\u2068{NAMES[0]}\u2069, \u2068{NAMES[1]}\u2069"
    options = page.find_elements(By.CSS_SELECTOR, ".example select option")
    assert any(FAMILY in option.get_property("textContent") for option in options) or len(options) > 1
    for path in page.find_elements(By.CSS_SELECTOR, ".example .soft bdi"):
        assert direction(page, path) == "rtl"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_lineage_shows_names_of_any_script(browser: webdriver.Chrome, tmp_path: Path, width: int) -> None:
    nodes = (Node("a", "stage", NAMES[0] * 4, (NAMES[1], EMOJI)), Node("b", "data", NAMES[4], (NAMES[3],)))
    examples = [(f"{text}.csv#1", name, "ab" * 32) for text, name in zip(TEXTS, NAMES, strict=False)]
    html = render_lineage(Graph(nodes, (("a", "b"),)), NAMES[1], [(NAMES[0], HEBREW)], examples, KIND.words)
    page = opened(browser, html, tmp_path, width)
    boxes = [text.get_property("textContent") for text in page.find_elements(By.CSS_SELECTOR, "#graph text")]
    assert NAMES[1] in boxes and all(len(text) <= 31 for text in boxes) and "\ufffd" not in "".join(boxes)
    cells = page.find_elements(By.CSS_SELECTOR, "#examples td bdi")
    assert [cell.get_property("textContent") for cell in cells[1::2]] == list(NAMES)
    assert direction(page, cells[0]) == "rtl" and direction(page, page.find_element(By.CSS_SELECTOR, "dd bdi")) == "rtl"
