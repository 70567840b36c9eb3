"""The certificate: what it rules, and that it is read as it was written."""

import json
from pathlib import Path

import pytest
from certificates import certificate

from thaw.foundation.errors import BadArtifact
from thaw.strategies.certificate.absent import write_absent
from thaw.strategies.certificate.record import as_json, figures_of, read_certificate, write_certificate


def test_transfer_is_ruled_against_each_baseline() -> None:
    found = certificate(shares={"linear": 0.9, "scratch": 0.9, "random_backbone": 0.99, "majority": 0.3})
    verdicts = {ruling.over: ruling.verdict for ruling in found.rulings}
    assert verdicts == {"scratch": "can't tell", "random_backbone": "hurts", "majority": "helps"}


def test_leads_are_over_the_linear_head() -> None:
    found = certificate()
    assert found.entry("linear").lead is None
    lead = found.entry("full").lead
    assert lead is not None
    own, linear = found.entry("full").score.accuracy.value, found.entry("linear").score.accuracy.value
    assert lead.accuracy.value == pytest.approx(own - linear)


def test_rulings_are_about_the_strategy_that_is_followed() -> None:
    by_full = {ruling.over: ruling.lead.accuracy.value for ruling in certificate("full").rulings}
    by_linear = {ruling.over: ruling.lead.accuracy.value for ruling in certificate("linear").rulings}
    assert by_full["scratch"] > by_linear["scratch"]
    assert {ruling.over for ruling in certificate("scratch").rulings} == {"majority"}


def test_few_test_images_are_not_enough_to_rank() -> None:
    assert not certificate(rows=60).enough
    assert certificate(rows=20000).enough


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "certificate.json"
    write_certificate(certificate(), path)
    assert read_certificate(path) == certificate()
    stored = json.loads(path.read_text())
    assert stored == as_json(certificate()) and (stored["test_images"], stored["training_images"]) == (200, 50)
    write_absent(path)
    assert read_certificate(path) is None
    path.write_text("{}")
    with pytest.raises(BadArtifact, match="--stage compare"):
        read_certificate(path)


def test_figures_leave_out_what_there_is_not() -> None:
    entries = {entry.name: figures_of(entry, certificate().judged_by) for entry in certificate().entries}
    assert "lead" not in entries["linear"] and "megabytes" not in entries["majority"]
    assert entries["full"]["minutes"] == 0.5 and entries["full"]["lead_low"] < entries["full"]["lead"]
