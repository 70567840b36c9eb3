"""The stage `code`: it writes the digest of each stage's code, by which the other stages run again where their own code has changed.

`python -m tasks.stages.code`
"""

from tasks.project.code_digests import present_code
from tasks.project.code_record import write_code
from tasks.project.entry import program
from tasks.project.paths import CODE


def main() -> None:
    """Digest the code of every stage."""
    write_code(present_code(), CODE)


if __name__ == "__main__":
    program(main)
