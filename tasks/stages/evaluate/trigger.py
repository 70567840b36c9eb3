"""The evaluation of triggers on the test split: misses, false accepts an hour, predictions, pages, and what promotions are judged by."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.project.paths import HEAD, REPORT
from tasks.project.progress import counted
from tasks.stages.evaluate.drift_reference import record_heard_reference
from tasks.stages.evaluate.leakage_and_cost import check
from tasks.stages.evaluate.report_files import table_of
from tasks.stages.evaluate.trigger_baseline import without_network
from tasks.stages.heard_recordings import first_window_s, read_heard, sequences_of
from thaw.dataset.groups import groups_of
from thaw.dataset.manifest import TEST, Example, Manifest
from thaw.dataset.places import Place, places_of, recording_at
from thaw.dataset.selection import examples_of
from thaw.evaluation.trigger.measures import Misses, WithoutNetwork, misses, trade_off
from thaw.evaluation.trigger.page import render_trigger
from thaw.features.sequences.plan import plan_of
from thaw.features.store.store import FeatureIndex, SequenceLayer
from thaw.foundation.errors import BadManifest
from thaw.foundation.files.atomic import replaced_folder, write_text
from thaw.heads.trigger.head import WordDetector
from thaw.heads.trigger.storage import read_trigger_head
from thaw.heads.trigger.tuning import HeardRecording
from thaw.kinds.kind import Kind
from thaw.models.prediction.answer import Answer
from thaw.models.prediction.trigger_predictor import answer_of
from thaw.pages.layout import percent
from thaw.params.sections import Params
from thaw.params.values.resampling import resampling_of
from thaw.targets.predictions import Predictions, write_predictions
from thaw.targets.trigger.common_budget import HeardClips, heard_clips, write_heard_clips
from thaw.targets.trigger.events import Scores
from thaw.targets.trigger.evidence import CLEAN, Evidence, Scored, Trial, background_of
from thaw.targets.trigger.kept_promise import KeptPromise, kept_promise, write_kept_promises
from thaw.targets.trigger.promise import two_digits
from thaw.targets.trigger.target import TRIGGER

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Tested:
    """A test recording. file: where it can be heard, from `start_s` on; None: nowhere."""

    path: str
    heard: HeardRecording
    file: Path | None
    start_s: float


@dataclass(frozen=True, eq=False)
class Judged:
    """A word on the test recordings. evidence: their scores. missed: the misses at the promised threshold, in each ratio of noise, the clean ones first. kept:
    the false accepts beside the promise. without: the same detector without the backbone."""

    evidence: Evidence
    missed: tuple[Misses, ...]
    kept: KeptPromise
    without: WithoutNetwork

    @property
    def word(self) -> str:
        """The trigger."""
        return self.evidence.word


def evaluate_triggers(params: Params, manifest: Manifest, index: FeatureIndex) -> None:
    """Score every test recording, judge each word, write `data/report/`.

    Raises:
        BadManifest: no test recording shows a trigger, or all show it.
    """
    head, test = read_trigger_head(HEAD), examples_of(manifest, TEST)
    for word in head.class_names:
        _refuse_one_sided(word, test)
    layer = sequences_of(index)
    places = places_of(params.dataset)
    tested = [
        placed(row.path, each, places.at(row.path)) for row, each in zip(test, read_heard(test, layer), strict=True)
    ]
    scores = [head.scores(each.heard.sequence) for each in tested]
    judged = list[Judged]()
    with counted("evaluate", "words") as progress:
        for place, detector in enumerate(head.detectors):
            clear = _scored(detector, tested, [own[place] for own in scores], layer)
            noisy = _in_noise(detector, params, manifest, index)
            without = without_network(detector, [each for each in clear if each.word], params, manifest, index)
            judged.append(_judged(detector, clear, noisy, without, params))
            progress(place + 1, len(head.detectors))
    predictions = predictions_of(test, answer_of(head, scores))
    with replaced_folder(REPORT) as report:
        check(params, manifest, index.layer(None), test, report)
        record_heard_reference(manifest, head, layer, report)
        write_predictions(predictions, report / "predictions.parquet")
        write_kept_promises([each.kept for each in judged], report / "false_accepts.json")
        write_heard_clips([_heard_clips(each, test, params) for each in judged], report / "heard_clips.json")
        write_text(report / "det.csv", table_of(("word", "false_accepts_per_hour", "misses"), _curves(judged)))
        _write_pages(judged, manifest.settled_kind, params, report)
        write_text(report / "metrics.json", json.dumps(metrics_of(judged, predictions), indent=2) + "\n")
    for each in judged:
        log.info("%s", sentence_of(each))


def _refuse_one_sided(word: str, test: Sequence[Example]) -> None:
    showing = sum(word in (row.names or ()) for row in test)
    if not showing or showing == len(test):
        raise BadManifest(
            f"{word}: {showing} of {len(test)} test recordings show it; misses are counted on those that do, and false accepts on the others: raise "
            "dataset.splits.test, or put some of both into the test"
        )


def placed(path: str, heard: HeardRecording, place: Place) -> Tested:
    """A test recording at its place, which may be a piece of a longer one."""
    return Tested(path, heard, *recording_at(place))


def _scored(
    detector: WordDetector, tested: Sequence[Tested], scores: Sequence[Scores], layer: SequenceLayer
) -> list[Scored]:
    """The test recordings with their scores."""
    first_s = first_window_s(detector.detector.places, layer)
    return [
        Scored(
            path=each.path,
            group=each.heard.group,
            word=detector.word if detector.word in each.heard.words else None,
            hours=each.heard.hours,
            scores=own,
            first_s=each.start_s + first_s,
            period_s=layer.period_s,
            file=each.file,
        )
        for each, own in zip(tested, scores, strict=True)
    ]


def _in_noise(detector: WordDetector, params: Params, manifest: Manifest, index: FeatureIndex) -> list[Scored]:
    """The test recordings with the word in the noise of the test; empty if it has none."""
    plan, places, found = plan_of(manifest, params.trigger.noise), places_of(params.dataset), list[Scored]()
    for hearing in plan.rows:
        if hearing.noise == TEST and hearing.snr is not None:
            layer = sequences_of(index, hearing)
            rows = [row for row in plan.rows[hearing] if detector.word in (row.names or ())]
            tested = [
                placed(row.path, each, places.at(row.path))
                for row, each in zip(rows, read_heard(rows, layer), strict=True)
            ]
            scores = [detector.detector.scores(each.heard.sequence).numpy() for each in tested]
            found += [replace(each, snr=hearing.snr) for each in _scored(detector, tested, scores, layer)]
    return found


def _heard_clips(judged: Judged, test: Sequence[Example], params: Params) -> HeardClips:
    """The test clips of a word, without added noise."""
    (trial,) = judged.evidence.trials
    rows = [row.digest for row in test if judged.word in (row.names or ())]
    clips = [clip for clip in trial.clips if clip.snr == CLEAN]
    return heard_clips(judged.word, params.trigger.false_accepts_per_hour, clips, rows, trial.background)


def _judged(
    detector: WordDetector,
    clear: Sequence[Scored],
    noisy: Sequence[Scored],
    without: WithoutNetwork,
    params: Params,
) -> Judged:
    others = tuple(each for each in clear if each.word is None)
    background = background_of(others, detector.refractory)
    clips = (*(each for each in clear if each.word is not None), *noisy)
    evidence = Evidence(
        word=detector.word,
        promise=detector.promise,
        refractory=detector.refractory,
        others=others,
        unheard=True,
        trials=(Trial(detector.promise.threshold, clips, background),),
        parted="splits",
    )
    missed = misses(evidence, resampling_of(params.statistics))
    return Judged(evidence, missed, kept_promise(detector.word, detector.promise, background), without)


def predictions_of(test: Sequence[Example], given: Answer) -> Predictions:
    """The answer for the test recordings, row for row."""
    return Predictions(
        given.class_names,
        tuple(row.digest for row in test),
        tuple(row.path for row in test),
        TRIGGER.encode(test, given.class_names).numpy(),
        given.probabilities,
        given.named,
        TRIGGER.name,
        groups_of(test),
    )


def _curves(judged: Sequence[Judged]) -> list[tuple[object, ...]]:
    """A row a point of each word's trade-off."""
    curves = [(each.word, trade_off(each.evidence)) for each in judged]
    return [
        (word, rate, share)
        for word, curve in curves
        for rate, share in zip(curve.an_hour, curve.misses[CLEAN], strict=True)
    ]


def _write_pages(judged: Sequence[Judged], kind: Kind, params: Params, report: Path) -> None:
    """A page a word; those of further words have a number in their names, and each leads to the others."""
    pages = [f"report.{number}.html" if number else "report.html" for number in range(len(judged))]
    for own, each in zip(pages, judged, strict=True):
        beside = [(other.word, page) for other, page in zip(judged, pages, strict=True) if page != own]
        page = render_trigger(
            each.evidence, kind, beside=beside, without=each.without, resampling=resampling_of(params.statistics)
        )
        write_text(report / own, page)


def metrics_of(judged: Sequence[Judged], predictions: Predictions) -> dict[str, object]:
    """The figures for DVC and MLflow; of several words the misses are the mean, and the false accepts those of the worst word."""
    figures = [_figures(each) for each in judged]
    whole = {
        name: max(own) if name.startswith("false_accepts") else sum(own) / len(own)
        for name, own in ((name, [each[name] for each in figures]) for name in figures[0])
    }
    right = float((predictions.named == predictions.shown).all(1).mean())
    words = {
        str(number): {"word": each.word, **own} for number, (each, own) in enumerate(zip(judged, figures, strict=True))
    }
    return {"test": {"n": len(predictions), **whole, "exact_match": right}, "triggers": words}


def _figures(judged: Judged) -> dict[str, float]:
    clean, *noisy = judged.missed
    share, kept, without = clean.share, judged.kept, judged.without
    return {
        "misses": share.value,
        "misses_low": share.low,
        "misses_high": share.high,
        "false_accepts_per_hour": kept.an_hour,
        "false_accepts_per_hour_low": kept.floor,
        "false_accepts_per_hour_high": kept.bound,
        "false_accepts_stated": kept.stated,
        "misses_without_network": without.share.value,
        "misses_without_network_more": without.more.value,
        "misses_without_network_more_low": without.more.low,
        "misses_without_network_more_high": without.more.high,
        **{f"misses_at_{each.snr:g}_db": each.share.value for each in noisy},
        "clips": clean.clips,
        "hours": kept.hours,
    }


def sentence_of(judged: Judged) -> str:
    """The judgement of a word in one line."""
    clean, *noisy = judged.missed
    share, kept = clean.share, judged.kept
    in_noise = "".join(f", {percent(each.share.value)} at {each.snr:g} dB" for each in noisy)
    return (
        f"{judged.word}: {percent(share.value)} missed ({percent(share.low)} to {percent(share.high)}{in_noise}) of {clean.clips} test recordings with it, "
        f"{percent(judged.without.share.value)} without the network; "
        f"{kept.accepted} false accepts in {two_digits(kept.hours)} hours of {kept.groups} groups, at most "
        f"{two_digits(kept.bound)} an hour, where {two_digits(kept.stated)} is stated"
    )
