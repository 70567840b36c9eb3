"""The Free Spoken Digit Dataset as files with a listing: Jackson et al., "Jakobovski/free-spoken-digit-dataset: v1.0.8", Zenodo 2018."""

import csv
import io
import re
import zipfile
from pathlib import Path

from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.downloads import Download, cached_download, hub_folder

ARCHIVE = Download(
    "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.zip",
    licence="CC BY-SA 4.0",  # no hash: GitHub makes the archive of a tag anew, and promises no bytes
)
LISTING = "list.csv"
RECORDINGS = "recordings"
_RECORDING = re.compile(r"[^/\\]+/recordings/(?P<name>(?P<digit>\d)_(?P<speaker>[a-z]+)_\d+\.(?:wav|flac))")
_MOST_BYTES = 200 * 2**20
_DIGITS = 10


def write_spoken_digits(folder: Path) -> None:
    """Write the recordings of the archive that is downloaded or lies in the cache, and `list.csv` with the columns path, label and group, which is the speaker.

    Raises:
        Unreachable, BadArtifact: the download failed, or the archive is damaged or another one.
    """
    archive = cached_download(
        ARCHIVE.url, hub_folder("datasets") / "free_spoken_digits.zip", is_whole=zipfile.is_zipfile
    )
    try:
        with zipfile.ZipFile(archive) as content:
            rows = _unpack(content, folder)
    except (zipfile.BadZipFile, EOFError) as error:
        raise _other(archive, str(error)) from error
    if len({label for _, label, _ in rows}) < _DIGITS:
        raise _other(archive, "it lacks recordings of some digits")
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([("path", "label", "group"), *rows])
    (folder / LISTING).write_bytes(text.getvalue().encode())


def _unpack(content: zipfile.ZipFile, folder: Path) -> list[tuple[str, str, str]]:
    """Write the members whose whole name is as expected, so that none can land outside of `folder`; path, digit and speaker of each."""
    found = [(member, match) for member in content.infolist() if (match := _RECORDING.fullmatch(member.filename))]
    if sum(member.file_size for member, _ in found) > _MOST_BYTES:
        raise zipfile.BadZipFile("it is larger than this set can be")
    (folder / RECORDINGS).mkdir()
    rows = []
    for member, match in found:
        (folder / RECORDINGS / match["name"]).write_bytes(content.read(member))
        rows.append((f"{RECORDINGS}/{match['name']}", match["digit"], match["speaker"]))
    return sorted(rows)


def _other(archive: Path, why: str) -> BadArtifact:
    return BadArtifact(f"{archive} is damaged or another file ({why}); remove it and try again")
