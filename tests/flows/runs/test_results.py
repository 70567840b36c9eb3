"""The results of a run are those that its stages have brought up to date."""

from pathlib import Path

from flows.runs.results import Metric, Registered, Results

LEFT = Results((Metric("accuracy", 0.98, 0.97, 0.99),), 868, Path("report.html"), Registered("digits", "1"))


def test_a_run_that_measured_and_registered_has_all_of_them() -> None:
    assert LEFT.of_run({"head", "evaluate", "track"}, registers=True) == LEFT


def test_a_run_until_an_earlier_stage_has_none_of_what_an_older_run_left() -> None:
    assert LEFT.of_run({"ingest", "extract"}, registers=False) == Results((), 0, None, None)


def test_a_run_of_the_measurement_alone_has_no_model() -> None:
    assert LEFT.of_run({"evaluate"}, registers=False) == Results(LEFT.metrics, 868, LEFT.report, None)
