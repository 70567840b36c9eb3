"""The end of a stage: an exit code, and one plain line if the user can mend the error."""

import errno
import logging
import sys
from collections.abc import Callable
from typing import NoReturn

from tasks.project.code_record import read_code
from tasks.project.paths import CODE
from thaw import __version__
from thaw.foundation.errors import OtherVersion, ThawError, Unreachable

FAILED = 1
"""The exit code of an error that the user can mend."""
MAY_PASS = 75
"""The exit code if another try may succeed (EX_TEMPFAIL): a download or a server failed."""
INTERRUPTED = 130

_OF_THE_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS})
"""The errors of a full or closed disk; the user can mend them, and the stage has no defect."""


def stage(main: Callable[[], None]) -> NoReturn:
    """Run a stage's `main` by the code that `data/code.yaml` states, and end the process; see `program`."""

    def checked() -> None:
        _refuse_other_version()
        main()

    program(checked)


def program(main: Callable[[], None]) -> NoReturn:
    """Run `main` and end the process: with 0, or with 1, 75 or 130 and one last line on stderr.

    An error that no user could mend keeps its traceback.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    for own in ("thaw", "tasks", "__main__"):
        logging.getLogger(own).setLevel(logging.INFO)
    sys.exit(_run(main))


def _refuse_other_version() -> None:
    """Check Thaw's version, for DVC takes the code in `data/code.yaml` for the code that made a stage's outputs.

    Raises:
        OtherVersion: another version is installed.
        BadArtifact: the file is damaged.
    """
    stated = read_code(CODE)
    if stated is not None and stated.version != __version__:
        raise OtherVersion(
            f"{CODE} is of Thaw {stated.version}, and {__version__} is installed; `thaw run` goes on with it, "
            "and `thaw init --upgrade --dry-run` shows what it changes"
        )


def _run(main: Callable[[], None]) -> int:
    try:
        main()
    except Unreachable as error:
        return _say(str(error), MAY_PASS)
    except ThawError as error:
        return _say(str(error), FAILED)
    except OSError as error:
        if not (line := of_the_machine(error)):
            raise
        return _say(line, FAILED)
    except KeyboardInterrupt:
        return _say("interrupted; no file is half-written, and another run continues", INTERRUPTED)
    return 0


def of_the_machine(error: OSError) -> str | None:
    """One line for a disk that is full or closed; None for any other error of the system."""
    if error.errno not in _OF_THE_MACHINE:
        return None
    return f"{error.filename or 'a file'} cannot be written or read: {error.strerror}"


def _say(line: str, code: int) -> int:
    sys.stderr.write(f"{line}\n")
    return code
