"""`thaw serve` in a project."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from living import wait_for
from project import Project


@contextmanager
def served(project: Project) -> Iterator[str]:
    """`thaw serve`; its address."""
    log = project.root.parent / "serve.txt"
    process = project.start("thaw", "serve", "--port", "0", "--engine", "torch", PYTHONUNBUFFERED="1")
    assert process.stdout is not None
    lines: list[str] = []
    try:
        for line in process.stdout:
            lines.append(line)
            if address := re.search(r"serving on (\S+),", line):
                break
        else:
            raise AssertionError("".join(lines))
        wait_for(lambda: is_ready(address[1]), lambda: "".join(lines))
        yield address[1]
    finally:
        process.terminate()
        rest, _ = process.communicate(timeout=60)
        log.write_text("".join(lines) + rest)


def is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/ready").status_code == 200
    except httpx.HTTPError:
        return False
