"""The place of an example's bytes: a file of this machine, any address that fsspec knows, or a row of a table that is in memory."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import fsspec
from fsspec.implementations.local import LocalFileSystem

from thaw.dataset.pieces import Piece
from thaw.foundation.errors import BadExample, BadSource, Unreachable
from thaw.foundation.files.encodings import decoded
from thaw.kinds.recordings import piece_of

RefuseSize = Callable[[int], None]
"""A function that raises BadExample if a file has more bytes than any example within the limits; see `Kind.refuse_size`."""
_URL = re.compile(r"[a-z][a-z0-9+.-]*(::[^/]*)?://", re.IGNORECASE)
_STAMPS = ("ETag", "etag", "md5", "mtime", "LastModified", "last_modified", "updated", "created")
"""The names under which file systems give a value that changes with a file, the best first."""


class Place(Protocol):
    """The place of an example's bytes."""

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine."""

    @property
    def held(self) -> int:
        """The bytes that it has in memory before it is read."""

    def read(self, refuse_size: RefuseSize) -> bytes:
        """The bytes of the example.

        Raises:
            BadExample: they cannot be read, or are more than the limits allow.
            Unreachable: the place does not answer; another try may succeed.
        """


@dataclass(frozen=True)
class LocalFile:
    """A file of this machine."""

    is_here: ClassVar[bool] = True
    held: ClassVar[int] = 0
    path: Path

    def read(self, refuse_size: RefuseSize) -> bytes:
        """The whole file.

        Raises:
            BadExample: the file cannot be opened, or is larger than the limits allow.
        """
        try:
            refuse_size(self.path.stat().st_size)
            return self.path.read_bytes()
        except OSError as error:
            raise BadExample(f"cannot be opened ({error.strerror})") from error

    def stamp(self) -> str:
        """A text that changes with the file; empty if the system gives none."""
        try:
            state = self.path.stat()
        except OSError:
            return ""
        return f"{state.st_size} {state.st_mtime_ns}"


@dataclass(frozen=True)
class LocalPiece:
    """A piece of a recording of this machine. piece: its times."""

    is_here: ClassVar[bool] = True
    held: ClassVar[int] = 0
    recording: LocalFile
    piece: Piece

    def read(self, refuse_size: RefuseSize) -> bytes:
        """The piece as a file. Raises BadExample: the recording cannot be read, or the piece is larger than the limits allow."""
        try:
            content = piece_of(self.recording.path, self.piece.start_s, self.piece.end_s)
        except OSError as error:
            raise BadExample(f"cannot be opened ({error.strerror})") from error
        refuse_size(len(content))
        return content


@dataclass(frozen=True)
class RemoteFile:
    """A file at another place; `size` in bytes, None if it is not known yet."""

    is_here: ClassVar[bool] = False
    held: ClassVar[int] = 0
    files: Any
    path: str
    size: int | None = None

    def read(self, refuse_size: RefuseSize) -> bytes:
        """The whole file.

        Raises:
            BadExample: the file does not exist, may not be read, or is larger than the limits allow.
            Unreachable: the place does not answer; another try may succeed.
        """
        try:
            size = self.files.size(self.path) if self.size is None else self.size
            refuse_size(size or 0)
            content: bytes = self.files.cat_file(self.path)
        except BadExample:
            raise
        except Exception as error:
            if why := _no_such_file(error):
                raise BadExample(why) from error
            raise Unreachable(_say(self.files.unstrip_protocol(self.path), error)) from error
        return content


@dataclass(frozen=True)
class RowText:
    """The text of a row, which stays in memory until it is decoded."""

    is_here: ClassVar[bool] = True
    content: bytes

    @property
    def held(self) -> int:
        """The size of the text."""
        return len(self.content)

    def read(self, refuse_size: RefuseSize) -> bytes:
        """The text as UTF-8. Raises BadExample: it is larger than the limits allow."""
        refuse_size(len(self.content))
        return self.content


@dataclass(frozen=True)
class TextFile:
    """A file of text in another encoding than UTF-8."""

    file: Place
    encoding: str

    @property
    def is_here(self) -> bool:
        """See `Place`."""
        return self.file.is_here

    @property
    def held(self) -> int:
        """See `Place`."""
        return self.file.held

    def read(self, refuse_size: RefuseSize) -> bytes:
        """The text as UTF-8. Raises the errors of `Place.read`; BadExample: the file is of another encoding."""
        try:
            return decoded(self.file.read(refuse_size), self.encoding).encode()
        except UnicodeError as error:
            raise BadExample(str(error)) from error


def is_url(text: str) -> bool:
    """Whether a name is an address, such as `s3://bucket/photo.jpg`, and not a path."""
    return _URL.match(text) is not None


def file_system(url: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it.

    Raises:
        BadSource: there is no such kind of address, or its library is not installed.
    """
    try:
        place: tuple[Any, str] = fsspec.url_to_fs(url)
    except (ImportError, ValueError, OSError) as error:
        raise BadSource(
            f"{url} cannot be used ({_first_line(error)}); s3:// needs s3fs, which `make install` installs; other addresses need fsspec's library for them"
        ) from error
    return place


def is_of_this_machine(files: Any) -> bool:
    """Whether a file system is this machine's own."""
    return isinstance(files, LocalFileSystem)


@contextmanager
def answering(url: str) -> Iterator[None]:
    """A context that turns errors of an address into one sentence.

    Raises:
        BadSource: the address does not exist, or may not be read.
        Unreachable: its place does not answer.
    """
    try:
        yield
    except (BadSource, Unreachable):
        raise
    except Exception as error:
        if why := _no_such_file(error):
            raise BadSource(f"`{url}` {why}; check the address and your rights to it") from error
        raise Unreachable(_say(url, error)) from error


def stamp_of(info: Mapping[str, Any]) -> str:
    """A text that changes with a file, from its file system's information about it."""
    known = next((str(info[name]) for name in _STAMPS if info.get(name)), "")
    return f"{info.get('size')} {known}"


def _no_such_file(error: Exception) -> str | None:
    """The reason why this one file cannot be read, as the end of a sentence; None if the whole place fails."""
    if isinstance(error, FileNotFoundError):
        return None if _is_of_the_server(error.__cause__) else "does not exist"
    if isinstance(error, IsADirectoryError):
        return "is a folder"
    status = getattr(error, "status", None)
    if isinstance(error, PermissionError) or (isinstance(status, int) and 400 <= status < 500):
        return f"may not be read ({_first_line(error)})"
    return None


def _is_of_the_server(cause: BaseException | None) -> bool:
    """Whether a server was not reached or failed; fsspec's HTTP reports that as a missing file, too."""
    if cause is None or isinstance(cause, FileNotFoundError):
        return False
    status = getattr(cause, "status", None)
    refused = isinstance(status, int) and 400 <= status < 500
    return isinstance(cause, OSError) or (type(cause).__module__.startswith("aiohttp") and not refused)


def _say(url: str, error: Exception) -> str:
    return f"{url} does not answer ({_first_line(error)}); run the command again to continue from here"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
