"""New data start one run, once they have come to rest: not none, not two, whatever is killed in between."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.daemon.source_follower import Follower, Waiting, latest, reason, settle
from flows.daemon.source_state import RUN, TRIGGERED, Handled, SourceState, look, now, read_handled, write_handled
from flows.project.errors import NoServer
from thaw.params.values.reading import read_params

Draw = Callable[[Path, int], Path]
PARAMS = "dataset: {source: source}\nbackbone: {weights: small.safetensors}\n"


class Server:
    """A list of the runs that were asked for, which knows its keys as Prefect does; `down`: it does not answer."""

    def __init__(self) -> None:
        self.runs: dict[str, str] = {}
        self.down = False

    def start(self, why: str, key: str) -> str:
        if self.down:
            raise NoServer("the Prefect server does not answer")
        self.runs.setdefault(key, why)
        return "run started"


@pytest.fixture
def project(tmp_path: Path, picture_folder: Path) -> Path:
    (tmp_path / "params.yaml").write_text(PARAMS)
    return tmp_path


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def said() -> list[str]:
    return []


def following(project: Path, server: Server, said: list[str]) -> Follower:
    return Follower(project, server.start, said.append, settle_s=60)


def test_a_new_file_starts_one_run_when_it_has_come_to_rest(
    project: Path, server: Server, said: list[str], draw: Draw
) -> None:
    run_sees(project)
    follower = following(project, server, said)
    follower.look_once(0)
    draw(project / "source/ants/new.png", 7)
    follower.look_once(10)
    draw(project / "source/ants/newer.png", 8)  # it is still being copied
    follower.look_once(65)
    follower.look_once(124)
    assert not server.runs
    follower.look_once(125)
    follower.look_once(1000)
    assert list(server.runs.values()) == ["the source has 14 files, 2 more than before"]
    assert said[-2:] == ["the source has 14 files, 2 more than before: run started", "following source (14 files)"]


def test_what_a_run_has_seen_starts_none(project: Path, server: Server, said: list[str], draw: Draw) -> None:
    follower = following(project, server, said)
    run_sees(project)
    for clock in (0, 100):
        follower.look_once(clock)
    draw(project / "source/ants/new.png", 7)
    follower.look_once(200)
    run_sees(project)  # `thaw run`, by hand, before it had come to rest
    follower.look_once(300)
    assert not server.runs


def test_killed_and_started_again_it_neither_loses_nor_doubles(project: Path, server: Server, said: list[str]) -> None:
    first = following(project, server, said)
    first.look_once(0)
    second = following(project, server, said)  # the first was killed while it waited
    second.look_once(1000)
    second.look_once(1060)
    assert len(server.runs) == 1
    third = following(project, server, said)
    third.look_once(2000)
    third.look_once(3000)
    assert len(server.runs) == 1
    (project / TRIGGERED).unlink()  # killed after the start, before it was recorded
    fourth = following(project, server, said)
    fourth.look_once(4000)
    fourth.look_once(4060)
    assert len(server.runs) == 1, "the server knew the key"


def test_back_to_a_former_state_is_a_change_too(project: Path, server: Server, said: list[str], draw: Draw) -> None:
    follower = following(project, server, said)
    extra = project / "source/ants/extra.png"
    clock = 0.0
    for there in (False, True, False, True):
        if there:
            draw(extra, 9)
            os.utime(extra, (1, 1))
        else:
            extra.unlink(missing_ok=True)
        follower.look_once(clock)
        follower.look_once(clock := clock + 60)
    assert len(server.runs) == 4


def test_a_server_that_is_down_delays_and_loses_nothing(project: Path, server: Server, said: list[str]) -> None:
    follower = following(project, server, said)
    server.down = True
    for clock in (0, 60, 65):
        follower.look_once(clock)
    assert said[-1] == "the Prefect server does not answer; trying again" and said.count(said[-1]) == 1
    server.down = False
    follower.look_once(70)
    assert len(server.runs) == 1


def test_parameters_that_are_not_valid_are_told_and_looked_at_again(
    project: Path, server: Server, said: list[str]
) -> None:
    follower = following(project, server, said)
    (project / "params.yaml").write_text("dataset: {sorce: source}\n")
    follower.look_once(0)
    assert "dataset.sorce" in said[-1]
    (project / "params.yaml").write_text("dataset: {source: data/sources/digits}\n")
    follower.look_once(1)
    assert "nothing to follow" in said[-1]
    (project / "params.yaml").write_text(PARAMS)
    follower.look_once(2)
    follower.look_once(62)
    assert len(server.runs) == 1


def test_the_state_is_of_names_sizes_and_times_and_not_of_stray_files(project: Path, draw: Draw) -> None:
    def fingerprint() -> str:
        state = look(project, read_params(project / "params.yaml"))
        assert state is not None
        return state.fingerprint

    states = [fingerprint()]
    (project / "source/.hidden").write_text("x")
    (project / "source/Thumbs.db").write_text("x")
    assert fingerprint() == states[0]
    picture = project / "source/ants/ant-0.jpg"
    os.utime(picture, ns=(5, 5))
    states.append(fingerprint())
    picture.write_bytes(picture.read_bytes() + b"x")
    os.utime(picture, ns=(5, 5))
    states.append(fingerprint())
    picture.rename(picture.with_name("ant-x.jpg"))
    states.append(fingerprint())
    (project / "source/ants/nowhere.jpg").symlink_to("gone.jpg")
    states.append(fingerprint())
    assert len(set(states)) == len(states)


def test_a_torn_record_is_none(tmp_path: Path) -> None:
    handled = Handled(SourceState("abc", 3), now(), 2)
    write_handled(tmp_path / "record.json", handled)
    assert read_handled(tmp_path / "record.json") == handled
    (tmp_path / "record.json").write_text("{")
    assert read_handled(tmp_path / "record.json") is None
    assert read_handled(tmp_path / "nowhere.json") is None


def test_the_later_record_counts() -> None:
    old = Handled(SourceState("a", 1), datetime(2026, 1, 1, tzinfo=UTC))
    new = Handled(SourceState("b", 2), old.at + timedelta(seconds=1))
    assert latest(old, new) is latest(new, old) is latest(None, new) is new
    assert latest(None, None) is None
    assert reason(SourceState("c", 1), new) == "the source has 1 files, 1 fewer than before"
    assert reason(SourceState("c", 2), new) == "the source has 2 files, some changed"


@given(st.lists(st.sampled_from("abc"), min_size=1))
def test_the_wait_is_as_long_as_the_last_state_has_stood(names: list[str]) -> None:
    waiting: Waiting | None = None
    for clock, name in enumerate(names):
        waiting = settle(waiting, SourceState(name, 1), clock)
    assert waiting is not None
    stood = len(names) - 1 - waiting.since
    assert all(name == names[-1] for name in names[int(waiting.since) :])
    assert waiting.since == 0 or names[int(waiting.since) - 1] != names[-1], stood


def run_sees(project: Path) -> None:
    """What the flow records of a complete run."""
    state = look(project, read_params(project / "params.yaml"))
    assert state is not None
    write_handled(project / RUN, Handled(state, now()))
