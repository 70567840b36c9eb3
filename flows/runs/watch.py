"""The flow `watch`: new examples are scored and compared with the examples that the model was measured on; drift may start training.

Prefect imports the file of a flow to deploy it. So what measures is imported where it is used.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact

from flows.prefect_server.temporary_server import hold_temporary_server
from flows.project.environment import find_project
from flows.runs.artifacts import publish_page
from flows.runs.run_form import name_run
from tasks.project.progress import Tenths
from thaw.drift import words
from thaw.drift.record import DriftReport
from thaw.params.sections import Params
from thaw.params.values.reading import read_params

if TYPE_CHECKING:
    from tasks.requests.watch import Measured


@dataclass(frozen=True)
class Watched:
    """The report on a batch, its page, and the outcome of retraining in words; empty if no retraining was requested."""

    report: DriftReport
    page: Path
    repeated: bool
    retraining: str = ""


@flow(name="watch")
def watch(sources: list[str], retrain: bool = False, scores: str | None = None) -> Watched:
    """Score new examples, report whether they have drifted, and train again on request.

    Args:
        sources: examples and folders of examples, as `thaw predict` takes them
        retrain: if drift is found, start the flow `transfer`, once for the same examples
        scores: a table of scores, in the place of sources
    """
    from tasks.requests import watch as watching

    os.chdir(find_project(Path.cwd()))
    hold_temporary_server()
    params = read_params()
    measurement = watching.measure(Path(scores), params) if scores else _measure(sources, params)
    report, log = measurement.report, get_run_logger()
    publish(measurement)
    name_run(words.verdict(report))
    log.info("%s", words.verdict(report))
    for line in words.lines(report):
        log.info("%s", line)
    retraining = _retrain(measurement, params) if retrain else ""
    if retraining:
        log.info("%s", retraining)
    return Watched(report, measurement.page, measurement.repeated, retraining)


def publish(measurement: "Measured") -> None:
    """Make the artifacts of a batch in Prefect's pages: a table of the tests, and the page."""
    report = measurement.report
    rows = [
        {
            "what": words.TITLES[finding.what],
            "statistic": round(finding.statistic, 5),
            "p, all tests together": words.p(finding.adjusted),
            "drifted": "yes" if finding.drifted else "not shown",
        }
        for finding in report.findings
    ]
    if rows:
        create_table_artifact(table=rows, key="drift", description=words.verdict(report))
    publish_page(Path.cwd(), measurement.page, "drift-page", words.verdict(report))


def _measure(sources: list[str], params: Params) -> "Measured":
    """Score examples, or hear recordings if the champion is a model of triggers, and compare them."""
    from flows.runs.score import score
    from tasks.requests.watch import measure
    from tasks.requests.watch_heard import measure_heard, watches_recordings

    if watches_recordings(params):
        return measure_heard(sources, params, Tenths("watch", "recordings", get_run_logger().info))
    return measure(Path(score(sources).path), params)


def _retrain(measurement: "Measured", params: Params) -> str:
    """Start training because of this batch, unless it started training before; returns the outcome in words."""
    from tasks.requests import watch as watching

    if not measurement.report.drifted:
        return "No training was started: no drift was found."
    if when := watching.claim_retraining(measurement, params):
        return f"No training was started: the same examples started it before, at {when}. Add some of them with labels to the source; then `thaw run`."
    get_run_logger().info("Training starts, because %s", words.verdict(measurement.report))
    from flows.runs.transfer import transfer

    try:
        outcome = transfer()
    except BaseException:  # another try with these examples may train
        watching.release_retraining(measurement, params)
        raise
    if outcome.nothing_to_do:
        return "Training was started, and had nothing to do: the source has not changed. Add some of the new examples with labels to it; then `thaw run`."
    return f"Training was started because of the drift. {outcome.promotion or ''}".strip()
