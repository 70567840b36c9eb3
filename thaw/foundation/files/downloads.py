"""Downloads into torch.hub's cache, with a time limit on silence; errors name the remedy by hand."""

import hashlib
import http.client
import socket
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from thaw.foundation.errors import BadArtifact, Unreachable
from thaw.foundation.files.atomic import atomic

_SILENCE = 30.0
"""The seconds without a byte after which a download fails."""


def hub_folder(name: str) -> Path:
    """A folder of torch.hub's cache below `TORCH_HOME`, such as "checkpoints" or "datasets"."""
    import torch

    return Path(torch.hub.get_dir()) / name


def cached_download(url: str, path: Path, *, is_whole: Callable[[Path], bool]) -> Path:
    """Return `path`; if there is no file, torch.hub downloads it from `url`, else no network is used.

    Args:
        url: the address of the file.
        path: its place in the cache.
        is_whole: a check of the file, because a cut connection leaves a shorter file without an error.

    Raises:
        Unreachable: the download failed; the message says where to lay the file by hand.
        BadArtifact: the file in the cache is damaged.
    """
    if not path.exists():
        with atomic(path) as temporary:
            _download(url, temporary, path)
            if not is_whole(temporary):
                raise _unreachable(url, path, "it arrived damaged")
    elif not is_whole(path):
        raise BadArtifact(f"{path} is damaged or another file than {url}; remove it and try again")
    return path


def has_sha256(prefix: str) -> Callable[[Path], bool]:
    """A check that a file's SHA-256, in hex, begins with `prefix`."""

    def check(path: Path) -> bool:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest().startswith(prefix)

    return check


def _download(url: str, temporary: Path, path: Path) -> None:
    from torch.hub import download_url_to_file

    try:
        with _silence_limit(_SILENCE):
            download_url_to_file(url, str(temporary), progress=False)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise _unreachable(url, path, str(getattr(error, "reason", None) or error)) from error


def _unreachable(url: str, path: Path, reason: str) -> Unreachable:
    return Unreachable(
        f"{url} cannot be downloaded ({reason}); try again when online, or lay the file at {path} by hand"
    )


@contextmanager
def _silence_limit(seconds: float) -> Iterator[None]:
    """A context with a time limit on silence; torch.hub sets none, so a dead connection would hang for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
