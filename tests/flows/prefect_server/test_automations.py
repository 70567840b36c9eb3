"""An automation that is as it should be is known as such in every process, whatever order its sets have there."""

import os
import subprocess
import sys

import pytest

COMPARE = """
import json, uuid
from prefect.events.schemas.automations import Automation
from flows.prefect_server.automations import _content
from flows.prefect_server.crash_recovery import rescue

def as_told(automation):
    told = json.loads(automation.model_dump_json()) | {"id": str(uuid.uuid4())}
    for name in ("after", "expect"):
        told["trigger"][name] = sorted(told["trigger"][name])
    return Automation.model_validate(told)

assert all(_content(as_told(one)) == _content(one) for one in rescue())
assert _content(as_told(rescue(silent_s=60)[0])) != _content(rescue()[0]), "and another one is not"
"""


@pytest.mark.parametrize("seed", ["1", "4", "5"])
def test_what_a_server_tells_is_what_was_wanted(seed: str) -> None:
    own = {"PYTHONHASHSEED": seed}
    found = subprocess.run(
        [sys.executable, "-c", COMPARE], env=os.environ | own, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
