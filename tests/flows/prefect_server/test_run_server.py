"""The server of one command: the user's if there is one, else a temporary one that is awaited, and whose failure is told of."""

import os
from pathlib import Path

import pytest

from flows.prefect_server import run_server
from flows.prefect_server.run_server import LOG, begin
from flows.project.errors import NoServer


def test_a_server_of_the_user_is_used(prefect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", prefect)
    begin(tmp_path)()
    assert os.environ["PREFECT_API_URL"] == prefect and not (tmp_path / LOG).exists()


def test_a_temporary_server_that_ends_at_once_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "")
    monkeypatch.setattr(run_server, "_PROGRAM", "this")  # it prints a poem
    ready = begin(tmp_path)
    with pytest.raises(NoServer, match=r"the temporary Prefect server ended with 0; see \.thaw/logs/prefect\.log"):
        ready()
    assert "Beautiful is better than ugly" in (tmp_path / LOG).read_text()
