"""The exit codes of `thaw` and their meanings."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes; `thaw --help` prints them."""

    DONE = 0
    MENDABLE = 1
    USAGE = 2
    STAGE_FAILED = 3
    REFUSED = 4
    DRIFT = 5
    DIFFERS = 6
    INTERRUPTED = 130


MEANINGS = {
    Exit.DONE: "done",
    Exit.MENDABLE: "something that you can put right: the message says what",
    Exit.USAGE: "the command line was not understood",
    Exit.STAGE_FAILED: "a stage failed",
    Exit.REFUSED: "the promotion was refused",
    Exit.DRIFT: "drift was found in new examples",
    Exit.DIFFERS: "the rebuilt model does not agree with the version",
    Exit.INTERRUPTED: "interrupted",
}
