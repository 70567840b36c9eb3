"""The report of a trigger: what it says, for people, of any evidence."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
from evaluations import HOSTILE
from listening_models import RATE, noise
from shown_words import visible
from trigger_evidence import clips, evidence_of, in_folds, scored

from thaw.evaluation.trigger.page import render_timeline, render_trigger
from thaw.evaluation.trigger.timeline import Timeline
from thaw.foundation.statistics.bootstrap import Resampling
from thaw.kinds.sounds.kind import KIND
from thaw.targets.trigger.evidence import CLEAN, Evidence, Trial

FEW = Resampling(resamples=100)
PEAKS = {CLEAN: [4.0, 3.0, 2.0, -1.0], 10.0: [1.0, -1.0, 2.0, 3.0]}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "a.flac", noise(40).clamp(-1, 1).numpy(), RATE)
    return tmp_path / "a.flac"


def page(evidence: Evidence) -> str:
    return render_trigger(evidence, KIND, resampling=FEW)


def test_it_says_what_was_measured_and_plays_what_is_worth_a_listen(file: Path) -> None:
    html = page(evidence_of(PEAKS, hours=2, file=file))
    text = visible(html)
    assert re.search(r"Of the clips of “view glass”, 25 % are missed \(0 % to [\d.]+ %\), at no more than [\d.]+ false accepts an hour\.", text)  # fmt: skip
    assert "These clips are of the test split, which trained nothing." in text
    assert "neither trained the model nor tuned its threshold" in text
    assert "speaker 1 2 50 % 50 %" in text and "10 dB 25 %" in text
    assert "missed , 1.0 below the threshold" in text and "heard , 4.0 above the threshold" in text
    assert html.count("<audio") == 4 + 9 and html.count("<svg") == 2
    assert 'src="http' not in html and "url(http" not in html


def test_the_pages_of_several_triggers_lead_to_each_other() -> None:
    html = render_trigger(evidence_of(PEAKS), KIND, beside=[("alexa", "report.1.html")], resampling=FEW)
    assert '<a href="report.1.html"><bdi>alexa</bdi></a>' in html and 'id="beside"' not in page(evidence_of(PEAKS))


def test_what_tuned_the_threshold_is_told() -> None:
    text = visible(page(in_folds(evidence_of(PEAKS))))
    assert "each learned from all but one of 2 parts of the clips" in text
    assert "they tuned the threshold" in text
    alone = visible(page(replace(in_folds(evidence_of(PEAKS, groups=4)))))
    assert "Each clip is a group of its own" in alone
    assert "Put the clips of each speaker into a folder" in alone


def test_hours_that_cannot_show_the_budget_are_told() -> None:
    text = visible(page(evidence_of({CLEAN: [1.0, 2.0]}, hours=0.5, budget=0.5)))
    assert "an hour, not the 0.5 asked for." in text and "7 more hours without the trigger" in text
    assert "What was almost missed" in text and "What was almost accepted" in text
    assert "No noise was given" in text


def test_a_single_clip_and_recordings_that_are_gone_have_a_page(tmp_path: Path) -> None:
    evidence = replace(evidence_of({CLEAN: [1.0]}, file=tmp_path / "gone.flac"), trials=())
    html = page(evidence)
    assert "no clip of it can say how often it is missed" in visible(html)
    assert "<audio" not in html and 'id="trade-off"' not in html and 'id="accepts"' in html


def test_names_are_only_names(file: Path) -> None:
    evidence = evidence_of(PEAKS, file=file)
    named = tuple(replace(each, path=HOSTILE, group=HOSTILE) for each in evidence.others)
    (trial,) = evidence.trials
    own = tuple(replace(each, path=HOSTILE, group=HOSTILE) for each in trial.clips)
    html = page(replace(evidence, word=HOSTILE, others=named, trials=(Trial(trial.threshold, own, trial.background),)))
    html += render_timeline(Timeline(replace(named[0], file=file), HOSTILE, 99.0, 25), KIND)
    assert HOSTILE not in html and "<script>alert" not in html


def test_hours_do_not_grow_the_page(file: Path) -> None:
    small, large = (len(page(evidence_of(PEAKS, hours=hours, file=file))) for hours in (0.5, 5))
    assert large < 1.1 * small < 3_000_000


def test_a_timeline_plays_its_events(file: Path) -> None:
    (clip,) = clips([2.0], groups=1, file=file)
    html = render_timeline(Timeline(replace(clip, path="monday.flac"), "view glass", 0.0, 25), KIND)
    assert "“view glass” is heard once in monday.flac (2.38 s)." in visible(html)
    assert html.count("<audio") == 1 and "event , 2.0 above the threshold" in visible(html)
    silent = render_timeline(Timeline(scored([-1.0, -2.0]), "view glass", 0.0, 25), KIND)
    assert "is not heard in a.flac" in visible(silent) and "<audio" not in silent
