"""The SMS Spam Collection as a table: Almeida, Gómez Hidalgo and Yamakami, "Contributions to the Study of SMS Spam Filtering", ACM DocEng 2011."""

import csv
import io
import zipfile
from pathlib import Path

from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.downloads import Download, cached_download, has_sha256, hub_folder

ARCHIVE = Download(
    "https://archive.ics.uci.edu/static/public/228/sms+spam+collection.zip",
    licence="CC BY 4.0",
    nbytes=203_415,
    sha256="1587ea43e58e82b14ff1f5425c88e17f8496bfcdb67a583dbff9eefaf9963ce3",
)
TABLE = "sms_spam.csv"
_MEMBER = "SMSSpamCollection"
_LABELS = frozenset({"ham", "spam"})
_MOST_BYTES = 10 * 2**20


def write_sms_spam(folder: Path) -> None:
    """Write `sms_spam.csv`, with the columns `label` and `text`, of the archive that is downloaded or lies in the cache.

    Raises:
        Unreachable, BadArtifact: the download failed, or the archive is damaged or another one.
    """
    archive = cached_download(
        ARCHIVE.url, hub_folder("datasets") / "sms_spam_collection.zip", is_whole=has_sha256(ARCHIVE.sha256 or "")
    )
    rows = rows_in(_member(archive), archive)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([("label", "text"), *rows])
    (folder / TABLE).write_bytes(text.getvalue().encode())


def rows_in(content: bytes, archive: Path) -> list[tuple[str, str]]:
    """Labels and messages of a table without a heading: a line is a label, a tab and the message, in which quotes mean nothing.

    Raises:
        BadArtifact: the bytes are no such table.
    """
    try:
        # Only line feeds end a message; other signs that Python takes for ends of lines may stand inside of one.
        lines = content.decode().split("\n")
    except UnicodeDecodeError as error:
        raise _other(archive, f"`{_MEMBER}` in it is no UTF-8") from error
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        label, tab, message = line.removesuffix("\r").partition("\t")
        if not tab or label not in _LABELS:
            raise _other(archive, f"line {number} of `{_MEMBER}` is no `ham` or `spam` with a message")
        rows.append((label, message))
    if not rows:
        raise _other(archive, f"`{_MEMBER}` in it is empty")
    return rows


def _member(archive: Path) -> bytes:
    try:
        with zipfile.ZipFile(archive) as content:
            if content.getinfo(_MEMBER).file_size > _MOST_BYTES:
                raise _other(archive, f"`{_MEMBER}` in it is larger than this set can be")
            return content.read(_MEMBER)
    except KeyError as error:
        raise _other(archive, f"it has no `{_MEMBER}`") from error
    except (zipfile.BadZipFile, EOFError) as error:
        raise _other(archive, str(error)) from error


def _other(archive: Path, why: str) -> BadArtifact:
    return BadArtifact(f"{archive} is damaged or another file ({why}); remove it and try again")
