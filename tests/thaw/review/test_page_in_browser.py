"""The page of the findings in a real browser: choosing, filtering, and the file that is saved."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import open_browser
from evaluations import HOSTILE, NAMES
from review_pages import FINDINGS, hostile_page, page_of_sets
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select

from thaw.dataset.corrections import LEAVE_OUT
from thaw.foundation.files.csv_tables import read_rows
from thaw.review.findings import COLUMNS, read_decisions
from thaw.targets.label_sets.target import LABEL_SETS
from thaw.targets.one_label.target import ONE_LABEL


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with open_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def page(browser: webdriver.Chrome, tmp_path: Path) -> webdriver.Chrome:
    (tmp_path / "review.html").write_text(hostile_page(), encoding="utf-8")
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    browser.get((tmp_path / "review.html").as_uri())
    return browser


def selects(page: webdriver.Chrome) -> list[WebElement]:
    return page.find_elements(By.CSS_SELECTOR, ".example select")


def saved(page: webdriver.Chrome, folder: Path) -> Path:
    page.find_element(By.ID, "save").click()
    file = folder / "review.csv"
    for _ in range(100):
        if file.exists():
            return file
        time.sleep(0.05)
    raise AssertionError("nothing was saved")


@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_loads_all_and_asks_for_nothing(page: webdriver.Chrome, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    page.refresh()
    assert page.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    images = page.find_elements(By.CSS_SELECTOR, ".example img")
    assert len(images) == 4
    assert all(page.execute_script("return arguments[0].naturalWidth", image) == 8 for image in images)
    asked = page.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert [name for name in asked if not name.startswith("data:")] == []
    assert [line for line in page.get_log("browser") if line["level"] == "SEVERE"] == []
    assert page.title != "broken", "a hostile name must not run"


def test_what_is_chosen_is_saved_and_can_be_applied(page: webdriver.Chrome, tmp_path: Path) -> None:
    suspect, first, second, unlabelled = selects(page)
    assert [option.get_attribute("value") for option in Select(suspect).options[:3]] == ["", HOSTILE, NAMES[0]]
    Select(suspect).select_by_value(HOSTILE)
    assert first.get_attribute("value") == HOSTILE, "the same image elsewhere has the same choice"
    Select(second).select_by_value(LEAVE_OUT)
    page.find_element(By.ID, "new-class").send_keys('wasps, "big"')
    page.find_element(By.ID, "add-class").click()
    Select(unlabelled).select_by_value('wasps, "big"')
    assert page.find_element(By.ID, "count").text == "3 choices"
    file = saved(page, tmp_path)
    rows = read_rows(file, COLUMNS)
    assert [row["path"] for row in rows] == [one.path for one in FINDINGS]
    known = {bytes.fromhex(one.digest): one.path for one in FINDINGS}
    found = read_decisions(file, known, NAMES, ['wasps, "big"'], ONE_LABEL)
    assert [one.label for one in found] == [HOSTILE, None, 'wasps, "big"']


def test_a_choice_can_be_taken_back(page: webdriver.Chrome, tmp_path: Path) -> None:
    suspect = selects(page)[0]
    Select(suspect).select_by_value(HOSTILE)
    Select(suspect).select_by_value("")
    assert page.find_element(By.ID, "count").text == "No choices yet"
    assert [row["corrected"] for row in read_rows(saved(page, tmp_path), COLUMNS)] == [""] * 4


def test_filters_show_one_kind(page: webdriver.Chrome) -> None:
    def visible() -> list[str]:
        sections = page.find_elements(By.CSS_SELECTOR, "main > section:not(#classes)")
        return [str(section.get_attribute("id")) for section in sections if section.is_displayed()]

    buttons = page.find_elements(By.CSS_SELECTOR, ".filter")
    buttons[2].click()
    assert visible() == ["duplicate"]
    buttons[0].click()
    assert visible() == ["suspect", "duplicate", "unlabelled"]


def test_another_set_is_ticked_and_saved(page: webdriver.Chrome, tmp_path: Path) -> None:
    (tmp_path / "sets.html").write_text(page_of_sets(), encoding="utf-8")
    page.get((tmp_path / "sets.html").as_uri())
    first, second = page.find_elements(By.CSS_SELECTOR, ".example")
    offered = [option.text for option in Select(first.find_element(By.TAG_NAME, "select")).options]
    assert offered[1:3] == [f"{HOSTILE}, {NAMES[2]} (suggested)", f"{NAMES[0]} (as it is)"]
    first.find_element(By.TAG_NAME, "summary").click()
    boxes = {box.get_attribute("value"): box for box in first.find_elements(By.TAG_NAME, "input")}
    assert [name for name, box in boxes.items() if box.is_selected()] == [HOSTILE, NAMES[2]]
    boxes[NAMES[0]].click()
    second.find_element(By.TAG_NAME, "summary").click()
    for box in second.find_elements(By.CSS_SELECTOR, "input:checked"):
        box.click()
    file = saved(page, tmp_path)
    known = {bytes.fromhex(row["digest"]): row["path"] for row in read_rows(file, COLUMNS)}
    found = read_decisions(file, known, NAMES, (), LABEL_SETS)
    assert [one.label for one in found] == ["|".join(sorted(NAMES)), "|"]
    assert page.title != "broken"
