"""The page of the server in a real browser: choosing and dropping pictures, what it shows, and what it asks for."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browser import open_browser
from evaluations import HOSTILE, NAMES
from openness_rows import predictor_on_digits
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from serving_app import Served, classifier_of, desk_with, digit_files, digit_gallery, served

DROP = """
const bytes = Uint8Array.from(atob(arguments[0]), letter => letter.charCodeAt(0));
const carried = new DataTransfer();
carried.items.add(new File([bytes], arguments[1], {type: "image/png"}));
document.body.dispatchEvent(new DragEvent("drop", {bubbles: true, cancelable: true, dataTransfer: carried}));
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    plain = predictor_on_digits()
    predictor = replace(plain, head=replace(plain.head, class_names=NAMES))
    with served(desk_with(classifier_of(predictor, digit_gallery(predictor)))) as running:
        yield running


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with open_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def page(browser: webdriver.Chrome, server: Served) -> webdriver.Chrome:
    browser.get(server.address)
    WebDriverWait(browser, 30).until(lambda page: "version 7" in page.find_element(By.ID, "model").text)
    return browser


def cards(page: webdriver.Chrome, count: int) -> list[WebElement]:
    """The answers, once there are so many."""
    WebDriverWait(page, 30).until(lambda page: len(page.find_elements(By.TAG_NAME, "article")) >= count)
    return page.find_elements(By.TAG_NAME, "article")


def choose(page: webdriver.Chrome, *files: Path) -> None:
    page.find_element(By.ID, "file").send_keys("\n".join(map(str, files)))


def loaded(page: webdriver.Chrome, images: list[WebElement]) -> bool:
    return all(page.execute_script("return arguments[0].naturalWidth > 0", image) for image in images)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_picture_is_answered_with_bars_and_the_nearest_training_images(
    page: webdriver.Chrome, server: Served, tmp_path: Path, width: int
) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    (tmp_path / "digit.png").write_bytes(digit_files(1)[0])
    choose(page, tmp_path / "digit.png")
    card = cards(page, 1)[0]
    label = card.find_element(By.TAG_NAME, "h2").text
    assert label in NAMES and page.find_element(By.ID, "status").text == label
    bars = card.find_elements(By.CSS_SELECTOR, ".bars tr")
    assert {bar.find_element(By.TAG_NAME, "th").text for bar in bars} == set(NAMES)
    assert bars[0].find_element(By.TAG_NAME, "th").text == label and bars[0].text.endswith("%")
    widths = [bar.find_element(By.CLASS_NAME, "fill").size["width"] for bar in bars]
    assert widths == sorted(widths, reverse=True) and widths[0] > 20
    near = card.find_elements(By.CSS_SELECTOR, ".near li")
    assert len(near) == 8 and "similarity 1.00" in near[0].text
    images = card.find_elements(By.TAG_NAME, "img")
    WebDriverWait(page, 30).until(lambda page: loaded(page, images))
    assert images[0].get_attribute("alt") == "digit.png"
    assert page.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    asked = page.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert asked and all(name.startswith((server.address, "blob:", "data:")) for name in asked)
    assert [line for line in page.get_log("browser") if line["level"] == "SEVERE"] == []
    assert page.title != "broken" and HOSTILE in NAMES, "a hostile class name must not run"


def test_what_cannot_be_used_stands_beside_what_can(page: webdriver.Chrome, tmp_path: Path) -> None:
    (tmp_path / "good.png").write_bytes(digit_files(1)[0])
    (tmp_path / "<b>bad.png").write_bytes(b"words")
    choose(page, tmp_path / "good.png", tmp_path / "<b>bad.png")
    good, bad = cards(page, 2)
    assert good.find_element(By.TAG_NAME, "h2").text in NAMES
    assert "cannot be used: it is not an image" in bad.text and "<b>bad.png" in bad.text
    assert page.find_element(By.ID, "status").text.endswith("cannot be used")


def test_a_picture_can_be_dropped_anywhere_and_sent_again(page: webdriver.Chrome) -> None:
    content = base64.b64encode(digit_files(1)[0]).decode()
    for count in (1, 2):
        page.execute_script(DROP, content, "dropped.png")
        assert len(cards(page, count)) == count


def test_it_can_be_used_without_a_mouse_and_is_told_to_a_reader(page: webdriver.Chrome) -> None:
    field = page.find_element(By.ID, "file")
    page.execute_script("arguments[0].focus()", field)
    assert page.switch_to.active_element == field
    outline = page.find_element(By.ID, "drop").value_of_css_property("outline-style")
    assert outline == "solid", "the focus is seen"
    assert "Choose images" in str(field.accessible_name)
    assert page.find_element(By.ID, "status").get_attribute("aria-live") == "polite"


def test_the_page_of_paths_opens_without_a_network(browser: webdriver.Chrome, server: Served) -> None:
    browser.get(f"{server.address}/docs")
    assert "POST /predict" in browser.page_source
    asked = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert [name for name in asked if not name.startswith("data:")] == []
    assert [line for line in browser.get_log("browser") if line["level"] == "SEVERE"] == []
