"""Downloads into torch.hub's cache, with a time limit on silence, and errors that say what to do by hand."""

import hashlib
import http.client
import socket
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thaw.errors import BadArtifact, Unreachable

_SILENCE = 30.0
"""Seconds without a byte after which a download is given up."""


def hub_folder(name: str) -> Path:
    """A folder of torch.hub's cache, below `TORCH_HOME`: "checkpoints", "datasets"."""
    import torch

    return Path(torch.hub.get_dir()) / name


def cached_download(url: str, path: Path, *, sha256_prefix: str | None = None) -> Path:
    """Return `path`, by torch.hub from `url` if nothing lies there; else no network is used.

    Args:
        url: where it comes from.
        path: where it is kept.
        sha256_prefix: how the file's SHA-256 begins, in hex; None: not checked.

    Raises:
        Unreachable: the download failed; the message says where to lay the file by hand.
        BadArtifact: the file is not the one that the hash names.
    """
    if not path.is_file():
        _download(url, path)
    if sha256_prefix and not _sha256(path).startswith(sha256_prefix):
        raise BadArtifact(
            f"{path} is damaged: its SHA-256 does not begin with {sha256_prefix}; remove it and try again"
        )
    return path


def _download(url: str, path: Path) -> None:
    from torch.hub import download_url_to_file

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _silence_limit(_SILENCE):
            download_url_to_file(url, str(path), progress=False)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        raise Unreachable(
            f"{url} cannot be downloaded ({reason}); try again when online, or lay the file at {path} by hand"
        ) from error


@contextmanager
def _silence_limit(seconds: float) -> Iterator[None]:
    """torch.hub sets no time limit, so a dead connection would hang for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
