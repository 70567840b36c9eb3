"""Atomic writes and digests of files."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blake3 import blake3

DIGEST_SIZE = 32
"""The number of bytes of a BLAKE3 digest."""


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is synced and renamed to `path`, on failure removed.

    A reader sees the whole old file or the whole new file; a kill leaves at most a `.tmp-*` file behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".tmp-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; on success its files are synced and it is renamed to `path`, on failure removed.

    A reader sees the whole folder or none; a kill leaves at most a `.tmp-*` folder behind.

    Raises:
        FileExistsError: `path` exists and is no empty folder; it stays as it is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".tmp-", dir=path.parent))
    try:
        yield temporary
        for file in temporary.rglob("*"):
            sync(file)
        temporary.chmod(0o755)
        sync(temporary)
        _rename_folder(temporary, path)
        sync(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def replaced_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path`; on success its files are synced and it takes the place of `path`, on failure it is removed.

    On failure the old folder stays as it was, byte for byte. On success nothing of the old folder is in the new one. No old file is written to: it may be a
    link into a cache. One process at a time may replace a path; the next replacement puts right what a kill left.
    """
    fresh, former = (path.with_name(f".{path.name}.{end}") for end in ("new", "old"))
    path.parent.mkdir(parents=True, exist_ok=True)
    if former.exists() and not path.exists():
        former.rename(path)
    _remove(fresh)
    _remove(former)
    fresh.mkdir()
    try:
        yield fresh
        for file in fresh.rglob("*"):
            sync(file)
        sync(fresh)
        _swap(fresh, path, former)
        sync(path.parent)
    finally:
        _remove(fresh)
        _remove(former)


def _swap(fresh: Path, path: Path, former: Path) -> None:
    """Rename twice; two renames are the least that every system has."""
    if path.exists() or path.is_symlink():
        path.rename(former)
    try:
        fresh.rename(path)
    except BaseException:
        if former.exists():
            former.rename(path)
        raise


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


def _rename_folder(temporary: Path, path: Path) -> None:
    try:
        temporary.rename(path)
    except OSError as error:  # systems have different codes for a full folder and for a file in its place
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from error
        raise


def sync(path: Path) -> None:
    """Flush a file, or a folder's entries, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically."""
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write `content` to `path` atomically, as UTF-8."""
    write_bytes(path, content.encode())


def digest_bytes(content: bytes) -> bytes:
    """BLAKE3 of `content`, 32 bytes."""
    return blake3(content).digest()


def digest_file(path: Path) -> bytes:
    """BLAKE3 of a file's bytes, 32 bytes, read through a memory map."""
    return blake3().update_mmap(path).digest()
