"""Typing on the page of the server in a real browser: any script, emoji and markup, and what is shown of the answer."""

from collections.abc import Iterator

import pytest
from browser import open_browser, show_server
from opinions import CLASSES, gallery_of_opinions, predictor_on_opinions
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from serving_app import Served, classifier_of, desk_with, served

from thaw.kinds.kind import Limits

TYPE = """
arguments[0].value = arguments[1];
arguments[0].dispatchEvent(new InputEvent("input", {bubbles: true}));
"""
"""The driver types no characters beyond the Basic Multilingual Plane."""
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served(desk_with(classifier_of(predictor_on_opinions(), gallery_of_opinions(), Limits()))) as running:
        yield running


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with open_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(params=[1280, 390])
def page(request: pytest.FixtureRequest, browser: webdriver.Chrome, server: Served) -> webdriver.Chrome:
    show_server(browser, server.address, request.param)
    return browser


def answered(page: webdriver.Chrome, text: str, count: int = 1) -> WebElement:
    """The newest card after a text was typed and sent, once its excerpts are there; count: of all cards then."""
    page.execute_script(TYPE, page.find_element(By.ID, "typed"), text)
    page.find_element(By.CSS_SELECTOR, "#form button").click()
    WebDriverWait(page, 30).until(lambda page: len(page.find_elements(By.TAG_NAME, "article")) == count)
    card = page.find_elements(By.TAG_NAME, "article")[0]
    WebDriverWait(page, 30).until(lambda _: all(excerpt.text for excerpt in card.find_elements(By.TAG_NAME, "pre")))
    return card


def direction(page: webdriver.Chrome, element: WebElement) -> str:
    return str(page.execute_script("return getComputedStyle(arguments[0]).direction", element))


def test_a_typed_text_is_answered_with_bars_and_the_nearest_training_texts(
    page: webdriver.Chrome, server: Served
) -> None:
    box = page.find_element(By.ID, "typed")
    box.send_keys("The film was wonderful")
    box.send_keys(Keys.CONTROL, Keys.ENTER)
    WebDriverWait(page, 30).until(lambda page: page.find_elements(By.TAG_NAME, "article"))
    card = page.find_element(By.TAG_NAME, "article")
    assert card.find_element(By.TAG_NAME, "h2").text == page.find_element(By.ID, "status").text == "good"
    bars = card.find_elements(By.CSS_SELECTOR, ".bars tr")
    assert [bar.find_element(By.TAG_NAME, "th").text for bar in bars] == list(reversed(CLASSES))
    near = card.find_elements(By.CSS_SELECTOR, ".near li")
    WebDriverWait(page, 30).until(lambda _: "The film was wonderful" in near[0].text)
    assert len(near) == 8 and "similarity 1.00" in near[0].text
    assert box.get_attribute("value") == "The film was wonderful", "it stays, to be changed and sent again"
    assert page.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    asked = page.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert asked and all(name.startswith((server.address, "blob:", "data:")) for name in asked)
    assert [line for line in page.get_log("browser") if line["level"] == "SEVERE"] == []


def test_other_scripts_emoji_and_markup_stay_what_they_are(page: webdriver.Chrome) -> None:
    hebrew = answered(page, "הסרט היה נהדר (really!) 👍🏽")
    excerpt = hebrew.find_element(By.CSS_SELECTOR, "article > pre")
    assert excerpt.text == "הסרט היה נהדר (really!) 👍🏽" and direction(page, excerpt) == "rtl"
    assert direction(page, page.find_element(By.ID, "typed")) == "rtl"
    assert hebrew.find_element(By.TAG_NAME, "h2").text == "good"
    markup = '<img src=x onerror="document.title=1"><script>document.title=1</script> dreadful cafe\u0301'
    card = answered(page, markup, 2)
    assert card.find_element(By.CSS_SELECTOR, "article > pre").text == markup and page.title != "1"
    long = answered(page, "superb " + FAMILY * 500, 3).find_element(By.CSS_SELECTOR, "article > pre").text
    assert long == "superb " + FAMILY * 393 + " …", "an emoji is never cut"
    assert page.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")


def marks(card: WebElement) -> dict[str, tuple[str, str]]:
    """The marked words of a card: their classes, and the style of the line below them."""
    found = card.find_elements(By.CSS_SELECTOR, "article > pre mark")
    return {
        mark.text: (str(mark.get_attribute("class")), mark.value_of_css_property("text-decoration-style"))
        for mark in found
    }


def test_the_words_that_spoke_for_the_answer_are_underlined_and_listed(page: webdriver.Chrome) -> None:
    text = "The film was wonderful <b>superb</b>, and boring 👍🏽"
    card = answered(page, text)
    WebDriverWait(page, 30).until(lambda _: card.find_elements(By.TAG_NAME, "mark"))
    assert card.find_element(By.CSS_SELECTOR, "article > pre").text == text, "marks change no letter"
    found = marks(card)
    assert found["superb"] in {("for s2", "solid"), ("for s3", "solid")} and found["boring"] == ("against s3", "dotted")
    assert found["👍🏽"][0].startswith("for") and "b" not in found
    assert "Words for and against good" in card.text and "against it:boring \u2212" in card.text
    hebrew = answered(page, "הסרט היה נהדר (really!)", 2)
    WebDriverWait(page, 30).until(lambda _: hebrew.find_elements(By.TAG_NAME, "mark"))
    excerpt = hebrew.find_element(By.CSS_SELECTOR, "article > pre")
    assert "נהדר" in marks(hebrew) and direction(page, excerpt) == "rtl"
    assert excerpt.text == "הסרט היה נהדר (really!)"
    assert page.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    assert [line for line in page.get_log("browser") if line["level"] == "SEVERE"] == []


def test_what_cannot_be_used_is_said_and_nothing_is_sent_of_an_empty_box(page: webdriver.Chrome) -> None:
    card = answered(page, "   ")
    assert "cannot be used: it holds nothing but spaces" in card.text
    page.execute_script(TYPE, page.find_element(By.ID, "typed"), "")
    page.find_element(By.CSS_SELECTOR, "#form button").click()
    assert len(page.find_elements(By.TAG_NAME, "article")) == 1


def test_the_box_has_a_name_and_shows_its_focus(page: webdriver.Chrome) -> None:
    box = page.find_element(By.ID, "typed")
    box.click()
    assert box.accessible_name == "Type or paste a text" and box.get_attribute("dir") == "auto"
    assert box.value_of_css_property("outline-style") == "solid"
