"""The report in a real browser, on a desk and on a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from advised import WORDS, advice_of, pool_of
from browser import open_browser
from evaluations import HOSTILE, hostile_evaluation, hostile_ingest, thumbnail
from selenium import webdriver
from selenium.webdriver.common.by import By

from thaw.evaluation.report import Origin, render_report
from thaw.kinds.images.kind import KIND
from thaw.strategies.advice.page import render_advice


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with open_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    evaluation = hostile_evaluation()
    pictures = {mistake.digest: thumbnail() for mistake in evaluation.mistakes}
    path: Path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(
        render_report(evaluation, hostile_ingest(), Origin(HOSTILE, (), HOSTILE), pictures, KIND.words),
        encoding="utf-8",
    )
    return path.as_uri()


@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_loads_all_and_asks_for_nothing(browser: webdriver.Chrome, address: str, width: int) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    browser.get(address)
    assert browser.find_element(By.ID, "verdict").is_displayed()
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth"), (
        "it must not overflow"
    )
    images = browser.find_elements(By.CSS_SELECTOR, ".mistake img")
    assert len(images) == 5
    assert all(browser.execute_script("return arguments[0].naturalWidth", image) == 8 for image in images)
    asked = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert [name for name in asked if not name.startswith("data:")] == []
    assert [line for line in browser.get_log("browser") if line["level"] == "SEVERE"] == []
    assert "broken" not in browser.title or "script" in browser.title, "a hostile name must not run"


def test_the_table_of_classes_sorts(browser: webdriver.Chrome, address: str) -> None:
    browser.get(address)
    heading = browser.find_elements(By.CSS_SELECTOR, "#class-table thead button")[4]

    def column() -> list[float]:
        cells = browser.find_elements(By.CSS_SELECTOR, "#class-table tbody td:nth-child(5)")
        return [float(str(cell.get_attribute("data-value"))) for cell in cells]

    heading.click()
    assert column() == sorted(column())
    heading.click()
    assert column() == sorted(column(), reverse=True)


def test_figures_are_drawn(browser: webdriver.Chrome, address: str) -> None:
    browser.get(address)
    figures = browser.find_elements(By.CSS_SELECTOR, "figure svg")
    assert len(figures) == 5
    assert all(figure.size["width"] > 200 and figure.size["height"] > 60 for figure in figures)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_advice_fits_and_asks_for_nothing(browser: webdriver.Chrome, tmp_path: Path, width: int) -> None:
    page = tmp_path / "advice.html"
    page.write_text(render_advice(advice_of(pool_of(6)), HOSTILE, WORDS), encoding="utf-8")
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(page.as_uri())
    assert browser.find_element(By.ID, "verdict").is_displayed()
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth"), "no overflow"
    assert len(browser.find_elements(By.CSS_SELECTOR, "figure svg")) == 2
    assert browser.find_elements(By.CSS_SELECTOR, "#option-table tbody tr")
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert [line for line in browser.get_log("browser") if line["level"] == "SEVERE"] == []
