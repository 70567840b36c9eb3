"""Promotions and rollbacks that, decided and about to be settled, wait until a rival is as far: `racing_promotion.py NAME (promote|rollback)...`.

Prints what came of each, as one line of JSON. The rival is another process, in a folder of its own, so that no lock keeps them apart; they meet at files below
`$MEETING/0`, `$MEETING/1` and so on, one for each attempt, once such a folder is there.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tasks.registry.promotion import promote
from tasks.registry.rollback import rollback
from tasks.registry.write_once import Ledger
from thaw.foundation.errors import InUse
from thaw.params.sections import Params, RegistryParams, StatisticsParams

PARAMS = Params(registry=RegistryParams(name="pets"), statistics=StatisticsParams(bootstrap=100))
PATIENCE_S = 300
ATTEMPTS = {"promote": promote, "rollback": rollback}


def wait(until: Callable[[], bool]) -> None:
    """Ask again and again."""
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline, "the rival never came"
        time.sleep(0.005)


def main(name: str, attempts: list[str]) -> None:
    settle, meeting = Ledger.settle, Path(os.environ["MEETING"])

    def together(self: Ledger, move: int, text: str) -> str:
        (place / name).touch()
        wait(lambda: len(list(place.iterdir())) == 2)
        return settle(self, move, text)

    Ledger.settle = together  # type: ignore[method-assign]
    for number, attempt in enumerate(attempts):
        place = meeting / str(number)
        wait(place.is_dir)
        try:
            found = ATTEMPTS[attempt](PARAMS)
            said = {"version": found.version, "moved": found.moved, "says": str(found)}
        except InUse as error:
            said = {"version": None, "moved": False, "says": str(error)}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
