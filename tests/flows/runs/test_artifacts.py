"""The artifacts on Prefect's pages link to what a browser can open from there."""

from pathlib import Path
from typing import Any

import pytest

from flows.dvc.run_lock import up_lock
from flows.prefect_server.running_server import write_addresses
from flows.runs import artifacts
from flows.runs.results import Registered

PETS = Registered("pets", "3")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is made of artifacts."""
    made: list[dict[str, Any]] = []
    for name in ("create_link_artifact", "create_markdown_artifact"):
        monkeypatch.setattr(artifacts, name, lambda **values: made.append(values))
    return made


def test_a_page_is_a_link_to_the_server_that_shows_it_and_else_its_path(
    tmp_path: Path, made: list[dict[str, Any]]
) -> None:
    report, other = tmp_path / "data/report/report.html", Path("data/promotion/promotion.html")
    with up_lock(tmp_path):
        write_addresses(tmp_path, {"report": "http://127.0.0.1:8001/report.html"})
        artifacts.publish_page(tmp_path, report, "report")
        artifacts.publish_page(tmp_path, other, "promotion")
    artifacts.publish_page(tmp_path, report, "report")  # the servers have gone
    assert [each.get("link", each.get("markdown")) for each in made] == [
        "http://127.0.0.1:8001/report.html",
        "`data/promotion/promotion.html`",
        "`data/report/report.html`",
    ]
    assert not [each for each in made if "file:" in str(each)]


def test_a_version_is_a_link_if_mlflow_is_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    assert artifacts.version_page(tmp_path, PETS) is None
    with up_lock(tmp_path):
        write_addresses(tmp_path, {"mlflow": "http://127.0.0.1:5001"})
        assert artifacts.version_page(tmp_path, PETS) == "http://127.0.0.1:5001/#/models/pets/versions/3"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.org/")
    assert artifacts.version_page(tmp_path, PETS) == "https://mlflow.example.org/#/models/pets/versions/3"
