"""What a file is that should hold something else, told from its first bytes: a pointer, a web page, another program's format."""

import json
from pathlib import Path

HEAD_BYTES = 1024
"""The bytes that `misplaced` needs."""
_LONGEST_HEADER = 100_000_000
"""Bytes of a header of safetensors, as the format allows them."""
_POINTER = b"version https://git-lfs"
_ANNEX = b"/annex/objects/"
_PAGES = (b"<!doctype html", b"<html", b"<head", b"<body", b"<!doctype")
_OTHERS = (
    (b"<?xml", "is an XML document, perhaps a server's error"),
    (b"\x89HDF", "is an HDF5 file, as Keras and MATLAB write them"),
    (b"GGUF", "is a GGUF file of a language model"),
    (b"\x1f\x8b", "is packed with gzip; unpack it"),
    (b"BZh", "is packed with bzip2; unpack it"),
    (b"\xfd7zXZ", "is packed with xz; unpack it"),
    (b"7z\xbc\xaf", "is a 7z archive; unpack it"),
    (b"Rar!", "is a RAR archive; unpack it"),
    (b"\x93NUMPY", "is a NumPy array"),
    (b"%PDF", "is a PDF document"),
)


def misplaced(head: bytes) -> str | None:
    """What a file with these first bytes is, as the end of a sentence with a remedy; None: nothing known. head: up to `HEAD_BYTES`."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        return "is empty" if not head else "holds nothing but spaces"
    if (pointer := pointer_in(text)) is not None:
        return pointer
    if text[:16].lower().startswith(_PAGES):
        return "is a web page; download the file itself (a link to a page about it, or one that needs a login, gives a page)"
    if not head.strip(b"\0"):
        return "holds nothing but zero bytes; its download or copy was cut off"
    return next((said for magic, said in _OTHERS if text.startswith(magic)), None)


def pointer_in(text: bytes) -> str | None:
    """The reason why the beginning of a text is a pointer to a file of Git LFS or git-annex, as the end of a sentence with a remedy; None: it is none."""
    if text.startswith(_POINTER):
        return "is a Git LFS pointer and not the file itself; fetch the file with `git lfs pull`"
    if text.startswith(b"/") and _ANNEX in text:
        return "is a git-annex pointer and not the file itself; fetch the file with `git annex get`"
    return None


def misplaced_file(path: Path) -> str | None:
    """`misplaced` of a file's first bytes.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return misplaced(file.read(HEAD_BYTES))


def is_safetensors(path: Path) -> bool:
    """Whether a file begins as safetensors do: the length of a JSON object, and the object.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(9)
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") <= _LONGEST_HEADER


def metadata_in(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file; empty for another or a damaged file, because the loading of the weights reports that."""
    if not is_safetensors(path):
        return {}
    with path.open("rb") as file:
        header = file.read(int.from_bytes(file.read(8), "little"))
    try:
        metadata = json.loads(header).get("__metadata__")
    except (ValueError, AttributeError):
        return {}
    entries = metadata.items() if isinstance(metadata, dict) else ()
    return {str(name): value for name, value in entries if isinstance(value, str)}
