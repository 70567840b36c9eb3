"""What the tags of a version say."""

from dataclasses import replace

import pytest
from serving_app import VERSION

from tasks.registry.version_tags import hears_triggers


@pytest.mark.parametrize(
    ("tags", "heard"),
    [
        ({"thaw.target": "trigger"}, True),
        ({"thaw.strategy": "mlp", "thaw.test.misses": "0.1"}, True),
        ({"thaw.strategy": "linear", "thaw.test.accuracy": "0.9"}, False),
    ],
    ids=["tagged", "of the first versions", "of another target"],
)
def test_a_version_of_triggers_is_known_also_without_a_tag_of_its_target(tags: dict[str, str], heard: bool) -> None:
    assert hears_triggers(replace(VERSION, tags=tags)) == heard
