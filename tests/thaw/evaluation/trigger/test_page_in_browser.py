"""The report of a trigger and a timeline in a real browser, on a desk and on a phone."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from browser import open_browser
from listening_models import RATE, noise
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from trigger_evidence import evidence_of, scored

from thaw.evaluation.trigger.page import render_timeline, render_trigger
from thaw.evaluation.trigger.timeline import Timeline
from thaw.kinds.sounds.kind import KIND
from thaw.targets.trigger.evidence import CLEAN
from thaw.targets.trigger.matching import Truth


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with open_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder: Path = tmp_path_factory.mktemp("trigger")
    file = folder / "a.flac"
    soundfile.write(file, noise(40).clamp(-1, 1).numpy(), RATE)
    evidence = evidence_of({CLEAN: [4.0, 3.0, 2.0, -1.0], 10.0: [1.0, -1.0, -2.0, 3.0]}, file=file)
    scores = np.random.default_rng(0).normal(-3, 1, 400)
    scores[200] = 4
    stream = Timeline(scored(scores, file=file), "view glass", 0.0, 25, truths=(Truth(17, 18), Truth(25, 26)))
    for name, html in (("report", render_trigger(evidence, KIND)), ("timeline", render_timeline(stream, KIND))):
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in ("report", "timeline")}


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(("name", "figures", "sounds"), [("report", 2, 13), ("timeline", 1, 1)])
def test_it_fits_plays_and_asks_for_nothing(
    browser: webdriver.Chrome, pages: dict[str, str], *, name: str, figures: int, sounds: int, width: int
) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(pages[name])
    assert browser.find_element(By.ID, "verdict").is_displayed()
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth"), "no overflow"
    drawn = browser.find_elements(By.CSS_SELECTOR, "figure svg")
    assert len(drawn) == figures and all(figure.size["width"] > 600 for figure in drawn), "a phone scrolls them"
    players = browser.find_elements(By.CSS_SELECTOR, ".mistake img + audio")
    assert len(players) == sounds
    browser.execute_script("arguments[0].load(); arguments[0].preload = 'auto'", players[0])
    WebDriverWait(browser, 10).until(lambda page: page.execute_script("return arguments[0].duration > 0", players[0]))
    assert 0.3 < browser.execute_script("return arguments[0].duration", players[0]) <= 2.01
    asked = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert [each for each in asked if not each.startswith("data:")] == []
    assert [line for line in browser.get_log("browser") if line["level"] == "SEVERE"] == []
