"""Services that die are started again, not for ever, and what is said says so."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.daemon.service_log import LOG, Journal, trouble
from flows.daemon.services import Service
from flows.daemon.supervisor import Restarts, Supervisor
from flows.project.errors import NoServer


@given(st.lists(st.floats(0, 1000), max_size=60), st.integers(1, 5))
def test_no_stretch_of_time_has_more_restarts_than_allowed(times: list[float], most: int) -> None:
    restarts = Restarts(most, within_s=100)
    granted = [time for time in sorted(times) if restarts.allows(time)]
    for index in range(len(granted) - most):
        assert granted[index + most] - granted[index] >= 100


def test_after_a_while_it_may_be_started_again() -> None:
    restarts = Restarts(most=2, within_s=100)
    assert [restarts.allows(time) for time in (0, 1, 2, 99, 101, 102)] == [True, True, False, False, True, True]
    assert restarts.pause_s == 2.0


def python(name: str, code: str) -> Service:
    return Service(name, (sys.executable, "-c", code))


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def journal(tmp_path: Path, said: list[str]) -> Journal:
    return Journal(tmp_path, lambda service, line: said.append(f"{service}: {line}"))


def test_a_service_that_dies_again_and_again_is_given_up(tmp_path: Path, journal: Journal, said: list[str]) -> None:
    supervisor = Supervisor(tmp_path, journal, lambda: Restarts(most=1))
    supervisor.start(
        [python("weak", "print('ERROR: no room'); raise SystemExit(3)"), python("well", "import time; time.sleep(600)")]
    )
    well = supervisor.servers[1]
    with pytest.raises(
        NoServer, match=r"weak ended by itself \(ERROR: no room\), and did so 1 of 1 within 10 min.*up\.log"
    ):
        supervisor.watch()
    assert well.alive
    supervisor.stop()
    assert not well.alive
    assert any("weak ended by itself (ERROR: no room); starting it again in 1 s" in line for line in said)
    log = (tmp_path / LOG).read_text()
    assert log.count("weak     | ERROR: no room") == 2 and "up       | weak was started again" in log


def test_what_does_one_thing_is_waited_for(tmp_path: Path, journal: Journal) -> None:
    supervisor = Supervisor(tmp_path, journal)
    supervisor.do(python("fine", "print('done')"), 60)
    with pytest.raises(NoServer, match=r"bad failed: it cannot be \(see .*up\.log\)"):
        supervisor.do(python("bad", "import sys; sys.exit('it cannot be')"), 60)
    with pytest.raises(NoServer, match=r"slow did not end within 0.5 s"):
        supervisor.do(python("slow", "import time; time.sleep(600)"), 0.5)


def test_people_see_trouble_and_not_chatter() -> None:
    assert trouble("12:00:00 | WARNING | the disk is nearly full") and trouble("ERROR: no")
    assert not trouble('"GET /api/health HTTP/1.1" 200') and not trouble("INFO: no error is here")


def test_the_log_has_every_line_with_its_service_and_no_colours(tmp_path: Path) -> None:
    shown: list[tuple[str, str]] = []
    with Journal(tmp_path, lambda service, line: shown.append((service, line))) as journal:
        journal.write("mlflow", "\x1b[31mred\x1b[0m\n", for_people=False)
        journal.write("mlflow", "\n", for_people=True)
        journal.say("hello")
    assert shown == [("up", "hello")]
    assert [line.split(" ", 2)[2] for line in (tmp_path / LOG).read_text().splitlines()] == [
        "mlflow   | red",
        "up       | hello",
    ]
