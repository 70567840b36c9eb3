"""The commands to try after a run fit what the run has left."""

import pytest

from flows.cli.next_commands import next_commands
from flows.runs.outcome import Transfer
from tasks.registry.attempt import Promotion
from tasks.registry.registering import Registered
from thaw.kinds.images.kind import KIND

VERSION = Registered("pets", 2, "r", "models:/pets/2", "k", made=True)


def promotion(*, promoted: bool, former: int | None) -> Promotion:
    return Promotion("pets", 2, former, promoted=promoted, moved=promoted, reason="because")


@pytest.mark.parametrize(
    ("outcome", "first", "never"),
    [
        (Transfer(()), "thaw run", "thaw predict"),
        (Transfer((), VERSION), "thaw promote", "thaw predict"),
        (Transfer((), VERSION, promotion(promoted=True, former=None)), "thaw predict FOLDER", "thaw promote"),
        (Transfer((), VERSION, promotion(promoted=False, former=None)), "thaw promote --dry-run", "thaw predict"),
        (Transfer((), VERSION, promotion(promoted=False, former=1)), "thaw promote --dry-run", "--override"),
    ],
    ids=["a part", "not promoted", "champion", "first refused", "refused"],
)
def test_the_first_command_is_the_next_step(outcome: Transfer, first: str, never: str) -> None:
    commands = next_commands(outcome, KIND.words)
    assert len(commands) == 3 and commands[0][0] == first
    assert not any(never in command for command, _ in commands)


def test_after_a_refusal_the_champion_that_stays_is_named() -> None:
    purposes = [
        purpose for _, purpose in next_commands(Transfer((), VERSION, promotion(promoted=False, former=1)), KIND.words)
    ]
    assert any("version 1" in purpose for purpose in purposes)


def test_a_new_version_is_something_done() -> None:
    assert Transfer(()).nothing_to_do and not Transfer((), VERSION).nothing_to_do
