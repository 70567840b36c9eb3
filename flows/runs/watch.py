"""The flow `watch`: new images are scored and compared with those that the model was measured on; where they have drifted, training may start."""

import os
from dataclasses import dataclass
from pathlib import Path

from prefect import flow, get_run_logger
from prefect.artifacts import create_link_artifact, create_table_artifact

from flows.prefect_server.temporary_server import hold_temporary_server
from flows.project.environment import find_project
from tasks.requests import watch as watching
from tasks.requests.watch import Measured
from thaw.drift import words
from thaw.drift.record import DriftReport
from thaw.params.reading import read_params
from thaw.params.sections import Params


@dataclass(frozen=True)
class Watched:
    """What was found of a batch, the page that shows it, and what became of retraining, in words; empty where it was not asked for."""

    report: DriftReport
    page: Path
    repeated: bool
    retraining: str = ""


@flow(name="watch")
def watch(sources: list[str], retrain: bool = False, scores: str | None = None) -> Watched:
    """Score new images, say whether they have drifted, and train again where that is wanted.

    Args:
        sources: images and folders of them, as `thaw predict` takes them
        retrain: where drift was found, start the flow `transfer`; once for the same images
        scores: a table that is scored already, in the place of sources
    """
    os.chdir(find_project(Path.cwd()))
    hold_temporary_server()
    params = read_params()
    measured = watching.measure(Path(scores) if scores else _score(sources), params)
    report, log = measured.report, get_run_logger()
    publish(measured)
    log.info("%s", words.verdict(report))
    for line in words.lines(report):
        log.info("%s", line)
    retraining = _retrain(measured, params) if retrain else ""
    if retraining:
        log.info("%s", retraining)
    return Watched(report, measured.page, measured.repeated, retraining)


def publish(measured: Measured) -> None:
    """Make the artifacts of a batch in Prefect's pages: what was tested, and a link to the page."""
    report = measured.report
    rows = [
        {
            "what": words.TITLES[one.what],
            "statistic": round(one.statistic, 5),
            "p, all tests together": words.p(one.adjusted),
            "drifted": "yes" if one.drifted else "not shown",
        }
        for one in report.findings
    ]
    if rows:
        create_table_artifact(table=rows, key="drift", description=words.verdict(report))
    create_link_artifact(
        link=measured.page.absolute().as_uri(),
        link_text="drift.html",
        key="drift-page",
        description=words.verdict(report),
    )


def _score(sources: list[str]) -> Path:
    from flows.runs.score import score

    return Path(score(sources).path)


def _retrain(measured: Measured, params: Params) -> str:
    """Start training because of this batch, unless it was before; says what came of it."""
    if not measured.report.drifted:
        return "No training was started: no drift was found."
    if when := watching.claim_retraining(measured, params):
        return f"No training was started: these same images started it before, at {when}. Add some of them with labels to the source; then `thaw run`."
    get_run_logger().info("Training starts, because %s", words.verdict(measured.report))
    from flows.runs.transfer import transfer

    try:
        done = transfer()
    except BaseException:  # the next try with these images trains after all
        watching.release_retraining(measured, params)
        raise
    if done.nothing_to_do:
        return "Training was started, and had nothing to do: the source has not changed. Add some of the new images with labels to it; then `thaw run`."
    return f"Training was started because of the drift. {done.promotion}".strip()
