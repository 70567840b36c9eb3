"""Whole models in PyTorch's old format, which beside each class hold the text of its source: the same file without these texts.

Until version 1.6, `torch.save(model)` wrote a class of a module as a persistent reference ("module", class, file, source). `weights_only=True` follows
references to storages alone, so each of these gives way to the class itself, for which the reader has a stand-in.
"""

import io
import pickletools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_HEADERS = 3
"""The pickles before the content: a magic number, a version, the machine."""
_PUTS = frozenset(("PUT", "BINPUT", "LONG_BINPUT"))
_GETS = frozenset(("GET", "BINGET", "LONG_BINGET"))
Operation = tuple[pickletools.OpcodeInfo, Any, int]


def without_sources(path: Path) -> io.BytesIO | None:
    """The file without sources, to be read in its place; None: it holds none.

    Raises:
        ValueError: it is no file of PyTorch's old format.
    """
    with path.open("rb") as file:
        for _ in range(_HEADERS):
            for _ in pickletools.genops(file):
                pass
        operations = [(info, argument, place or 0) for info, argument, place in pickletools.genops(file)]
        places = [place for _, _, place in operations] + [file.tell()]
        dropped = set(_dropped(operations))
        if not dropped:
            return None
        file.seek(0)
        content = file.read()
    kept = b"".join(
        content[places[number] : places[number + 1]] for number in range(len(operations)) if number not in dropped
    )
    return io.BytesIO(content[: places[0]] + kept + content[places[-1] :])


def _dropped(operations: list[Operation]) -> Iterator[int]:
    """The operations around the classes in references to modules: all that builds a reference but what brings the class."""
    texts: dict[int, str] = {}
    mark = 0
    for number, (operation, argument, _) in enumerate(operations):
        if operation.name == "MARK":
            mark = number
        elif operation.name in _PUTS and isinstance(text := operations[number - 1][1], str):
            texts[argument] = text
        elif operation.name == "BINPERSID":
            parts = [each for each in range(mark + 1, number) if operations[each][0].name not in _PUTS]
            if (
                len(parts) == 5 and _text(operations[parts[0]], texts) == "module"
            ):  # four entries, and the tuple of them
                yield from (each for each in range(mark, number + 1) if not parts[1] <= each < parts[2])


def _text(operation: Operation, texts: dict[int, str]) -> str | None:
    info, argument, _ = operation
    return texts.get(argument) if info.name in _GETS else argument
