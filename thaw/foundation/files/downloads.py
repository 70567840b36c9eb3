"""Downloads into torch.hub's cache: resumed after a cut, with a time limit on silence; errors name the remedy by hand."""

import fcntl
import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from thaw.foundation.errors import BadArtifact, Unreachable
from thaw.foundation.files.atomic import sync
from thaw.foundation.parallel.progress import Progress, untold

_SILENCE = 30.0
"""The seconds without a byte after which a download fails."""
_BLOCK = 2**20
_PARTIAL, _NOT_SATISFIABLE = 206, 416
_CUT = "the connection was cut"


@dataclass(frozen=True)
class Download:
    """A file at its official place. licence: as it is published there. nbytes: None: not known. sha256: hex; None: none is published."""

    url: str
    licence: str
    nbytes: int | None = None
    sha256: str | None = None

    def __str__(self) -> str:
        size = "" if self.nbytes is None else f", {size_of(self.nbytes)}"
        return f"{self.url} (licence: {self.licence}{size})"


def size_of(nbytes: int) -> str:
    """A size for people, such as 862,182,613 bytes as `862 MB`."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if nbytes >= factor:
            amount = nbytes / factor
            return f"{amount:.1f} {unit}" if amount < 10 else f"{amount:.0f} {unit}"
    return f"{nbytes} bytes"


def hub_folder(name: str) -> Path:
    """A folder of torch.hub's cache below `TORCH_HOME`, such as "checkpoints" or "datasets"."""
    import torch

    return Path(torch.hub.get_dir()) / name


def cached_download(url: str, path: Path, *, is_whole: Callable[[Path], bool], progress: Progress = untold) -> Path:
    """Return `path`; if there is no file, it is downloaded from `url`, else no network is used. Proxies are those of the environment.

    A cut download leaves the hidden file `.NAME.part`, from whose end the next call goes on. Two processes never download a file at once.

    Args:
        url: the address of the file.
        path: its place in the cache.
        is_whole: a check of the file, because a cut connection may leave a shorter file without an error.
        progress: called with the bytes that are here, of all bytes.

    Raises:
        Unreachable: the download failed; the message says where to lay the file by hand.
        BadArtifact: the file in the cache is damaged.
    """
    if not path.exists():
        _bring(url, path, is_whole, progress)
    elif not is_whole(path):
        raise BadArtifact(f"{path} is damaged or another file than {url}; remove it and try again")
    return path


def fetched_bytes(url: str, most: int) -> bytes:
    """The first `most` bytes of a small answer; nothing is kept.

    Raises:
        Unreachable: the download failed.
    """
    try:
        with _opened(url) as answer:
            content: bytes = answer.read(most)
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"{url} cannot be read ({_reason(error)}); try again when online") from error
    return content


def has_sha256(prefix: str) -> Callable[[Path], bool]:
    """A check that a file's SHA-256, in hex, begins with `prefix`."""

    def check(path: Path) -> bool:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest().startswith(prefix)

    return check


def _bring(url: str, path: Path, is_whole: Callable[[Path], bool], progress: Progress) -> None:
    part = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    with part.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            if path.exists():  # another process has brought it in the meantime
                return
            had = file.tell()
            _download(url, file, path, progress)
            if had and not is_whole(part):  # the beginning is of another file
                file.truncate(0)
                _download(url, file, path, progress)
            if not is_whole(part):
                file.truncate(0)
                raise _unreachable(url, path, "it arrived damaged")
            part.chmod(0o644)
            sync(part)
            part.replace(path)
            sync(path.parent)
        finally:
            if part.exists() and part.stat().st_size == 0:
                part.unlink()


def _download(url: str, file: BinaryIO, path: Path, progress: Progress) -> None:
    """Write the rest of a file behind what is there."""
    begin = file.seek(0, 2)
    try:
        with _opened(url, begin) as answer:
            if answer.status != _PARTIAL and begin:  # the server sends all of it again
                file.truncate(0)
                begin = 0
            _copy(answer, file, begin, progress)
    except urllib.error.HTTPError as error:
        if error.code != _NOT_SATISFIABLE or not begin:
            raise _unreachable(url, path, _reason(error)) from error
        # There is nothing behind what is there: it is whole, or of another file.
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise _unreachable(url, path, _reason(error)) from error
    finally:
        file.flush()


def _copy(answer: http.client.HTTPResponse, file: BinaryIO, begin: int, progress: Progress) -> None:
    total = begin + (answer.length or 0)
    done = begin
    while block := answer.read(_BLOCK):
        file.write(block)
        done += len(block)
        progress(done, max(total, done))
    if done < total:
        raise http.client.HTTPException(_CUT)


def _opened(url: str, begin: int = 0) -> http.client.HTTPResponse:
    """The answer of a server from a byte on."""
    # Compressed on its way, a file would have other lengths.
    headers = {"User-Agent": "thaw", "Accept-Encoding": "identity"}
    headers |= {"Range": f"bytes={begin}-"} if begin else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  # the addresses are our own
    answer: http.client.HTTPResponse = urllib.request.build_opener().open(request, timeout=_SILENCE)
    return answer


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error)


def _unreachable(url: str, path: Path, reason: str) -> Unreachable:
    return Unreachable(
        f"{url} cannot be downloaded ({reason}); try again when online, or lay the file at {path} by hand"
    )
