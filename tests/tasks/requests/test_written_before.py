"""Scores and references that older code wrote: the watch measures the same on them."""

import json
from pathlib import Path

import pytest
from registration import copy_empty_store, inside
from written_before import register, unpack

from tasks.registry.registry import open_registry
from tasks.requests.watch import measure
from thaw.params.sections import Params, RegistryParams, WatchParams

PARAMS = Params(registry=RegistryParams(name="photos"), watch=WatchParams(min_rows=10, permutations=400))


def test_the_watch_finds_what_it_found(empty_store: Path, tmp_path: Path) -> None:
    records = unpack("records", tmp_path / "records")
    with inside(copy_empty_store(empty_store, tmp_path / "project")):
        register(open_registry(PARAMS.registry), records / "versions/one_label")
        report = measure(records / "watch/monday.parquet", PARAMS, (records / "watch/features",)).report
    known = json.loads((records / "watch/drift.json").read_text(encoding="utf-8"))
    assert report.drifted and (report.rows, report.reference_rows) == (known["rows"], known["reference_rows"])
    assert report.origin.scored_at == known["origin"]["scored_at"]
    for finding, recorded in zip(report.findings, known["findings"], strict=True):
        assert finding.what == recorded["what"]
        assert finding.statistic == pytest.approx(recorded["statistic"], abs=1e-6)
        assert finding.p_value == pytest.approx(recorded["p_value"], abs=1e-6)
