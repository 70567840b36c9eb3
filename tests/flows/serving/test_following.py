"""Following an alias: what is wanted is put onto the desk, and nothing that goes wrong takes away what answers."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import pytest
from serving_app import VERSION, plain_classifier

from flows.serving.app import Parts
from flows.serving.following import Follower
from flows.serving.limits import Limits
from tasks.registry.registry import ModelVersion
from thaw.foundation.errors import BadArtifact, RegistryError, Unreachable
from thaw.models.serving.classifier import Classifier

CLASSIFIER = plain_classifier()


def says(answers: Iterable[int | Exception]) -> Callable[[], int]:
    """A registry that answers so, in turn."""
    turn: Iterator[int | Exception] = iter(answers)

    def find() -> int:
        answer = next(turn)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return find


def loads(*broken: int) -> tuple[list[int], Callable[[int], tuple[ModelVersion, Classifier]]]:
    """A loader that cannot load some versions, and the list of what it was asked for."""
    asked: list[int] = []

    def load(number: int) -> tuple[ModelVersion, Classifier]:
        asked.append(number)
        if number in broken:
            raise BadArtifact(f"version {number} is torn")
        return replace(VERSION, number=number), CLASSIFIER

    return asked, load


def follow(follower: Callable[[Parts], Follower], looks: int) -> tuple[list[int | None], Parts]:  # fmt: skip
    """Look some times; returns what answered after each, and the parts."""

    async def run() -> tuple[list[int | None], Parts]:
        parts, seen = Parts(Limits(), "models:/digits@champion"), []
        one = follower(parts)
        for _ in range(looks):
            await one.look()
            seen.append(parts.desk.current.version.number if parts.desk.current else None)
        await parts.desk.close()
        return seen, parts

    return asyncio.run(run())


def figure(parts: Parts, name: str) -> float:
    return next(float(line.split()[-1]) for line in parts.metrics.text().decode().splitlines() if line.startswith(name))


def test_it_serves_what_the_alias_points_at_and_loads_each_once() -> None:
    asked, load = loads()
    seen, parts = follow(lambda parts: Follower(says([1, 1, 2, 2, 1]), load, parts, 5), 5)
    assert seen == [1, 1, 2, 2, 1] and asked == [1, 2, 1]
    assert figure(parts, 'thaw_model_version{model="digits"}') == 1
    assert figure(parts, 'thaw_model_loads_total{outcome="done"}') == 3


def test_a_version_that_does_not_load_leaves_the_old_one_and_is_tried_again_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked, load = loads(2)
    with caplog.at_level(logging.INFO):
        seen, parts = follow(lambda parts: Follower(says([1, 2, 2, 2, 3]), load, parts, 300), 5)
    assert seen == [1, 1, 1, 1, 3] and asked == [1, 2, 3]
    assert figure(parts, 'thaw_model_loads_total{outcome="failed"}') == 1
    assert "version 2 cannot be loaded (version 2 is torn); version 1 goes on answering" in caplog.text
    asked, load = loads(2)
    follow(lambda parts: Follower(says([1, 2, 2]), load, parts, 0), 3)
    assert asked == [1, 2, 2], "once the pause is over"


def test_a_registry_that_is_down_or_says_no_changes_nothing_and_is_told_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    down, gone = Unreachable("MLflow did not answer"), RegistryError("digits has no champion yet")
    answers = [1, down, down, ZeroDivisionError("a defect"), gone, 2]
    _, load = loads()
    with caplog.at_level(logging.INFO):
        seen, parts = follow(lambda parts: Follower(says(answers), load, parts, 5), 6)
    assert seen == [1, 1, 1, 1, 1, 2]
    assert caplog.text.count("MLflow did not answer") == 1 and "version 1 goes on answering" in caplog.text
    assert "the registry answers again" in caplog.text
    assert figure(parts, "thaw_registry_up") == 1


def test_before_the_first_model_it_goes_on_asking() -> None:
    _, load = loads()
    down = Unreachable("MLflow did not answer")
    seen, parts = follow(lambda parts: Follower(says([down, down, 4]), load, parts, 5), 3)
    assert seen == [None, None, 4]
    seen, parts = follow(lambda parts: Follower(says([down]), load, parts, 5), 1)
    assert figure(parts, "thaw_registry_up") == 0
