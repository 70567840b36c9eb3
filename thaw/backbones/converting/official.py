"""Text encoders by name, brought from their official places: `glove.6B.50d`, `cc.en.300`, `elmo`, `infersent1`, `ORG/NAME` on Hugging Face."""

import gzip
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, cast

from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.hugging_face import hub_files
from thaw.backbones.converting.official_files import OfficialFiles, official_files
from thaw.backbones.converting.official_names import SLASH
from thaw.backbones.converting.source import Source
from thaw.foundation.errors import BadArtifact, Unreachable
from thaw.foundation.files.downloads import Download, cached_download, has_sha256, hub_folder
from thaw.foundation.parallel.progress import Progress, untold

Tell = Callable[[str], None]
"""A function that shows a sentence: where a file comes from, its licence and its size."""


def write_official(name: str, out: Path, tell: Tell, progress: Progress = untold) -> None:
    """Write the backbone of an encoder's name, atomically. See `official_source` and `thaw.backbones.converting.converting.convert`."""
    with official_source(name, tell, progress) as source:
        convert(source, out, progress)


@contextmanager
def official_source(name: str, tell: Tell, progress: Progress = untold) -> Iterator[Source]:
    """A context with the files of an encoder's name; what is downloaded stays in torch.hub's cache, what is unpacked is removed at the end.

    Raises:
        Unreachable: a download failed; the message says where to lay the file by hand.
        BadArtifact: a file in the cache is damaged.
        BadWeights: see `hub_files`.
    """
    found = official_files(name)
    if found is None:
        yield Source(_of_hub(name, tell, progress))
        return
    with ExitStack() as stack:
        words = None
        if found.words is not None:
            words = stack.enter_context(official_source(found.words, tell, progress)).path
        yield Source(stack.enter_context(_unpacked(name, found, tell, progress)), words)


@contextmanager
def _unpacked(name: str, found: OfficialFiles, tell: Tell, progress: Progress) -> Iterator[Path]:
    if len(found.files) > 1:
        folder = hub_folder("encoders") / name
        for file, download in found.files.items():
            _bring(download, folder / file, tell, progress)
        yield folder
        return
    ((file, download),) = found.files.items()
    path = _bring(download, hub_folder("encoders") / file, tell, progress)
    if found.member is None and path.suffix != ".gz":
        yield path
        return
    with TemporaryDirectory(prefix="thaw-", dir=path.parent) as unpacked:
        target = Path(unpacked) / (found.member or path.stem)
        try:
            _unpack(path, found.member, target)
        except (KeyError, zipfile.BadZipFile, EOFError, gzip.BadGzipFile) as error:
            raise BadArtifact(f"{path} is damaged or another file ({error}); remove it and try again") from error
        yield target


def _bring(download: Download, path: Path, tell: Tell, progress: Progress) -> Path:
    tell(f"{path}: from {download}" if path.exists() else f"downloading {download}")
    return cached_download(download.url, path, is_whole=_check(download), progress=progress)


def _check(download: Download) -> Callable[[Path], bool]:
    return _is_there if download.sha256 is None else has_sha256(download.sha256)


def _is_there(path: Path) -> bool:
    """The only check of a file of which no hash is published, beside the length that its server states."""
    return path.stat().st_size > 0


def _unpack(archive: Path, member: str | None, target: Path) -> None:
    with _content(archive, member) as content, target.open("wb") as out:
        shutil.copyfileobj(content, out, 2**20)


@contextmanager
def _content(archive: Path, member: str | None) -> Iterator[IO[bytes]]:
    if member is None:
        with gzip.open(archive) as unpressed:
            yield cast("IO[bytes]", unpressed)
    else:
        with zipfile.ZipFile(archive) as members, members.open(member) as content:
            yield content


def _of_hub(name: str, tell: Tell, progress: Progress) -> Path:
    """The folder of an encoder on Hugging Face; a folder with its config.json and weights needs no network."""
    folder = hub_folder("encoders") / name.replace("/", SLASH)
    if all((folder / file).is_file() for file in ("config.json", "model.safetensors")):
        tell(f"{folder}: is here")
        return folder
    try:
        files = hub_files(name)
    except Unreachable as error:
        raise Unreachable(
            f"`{name}` is no file here, and {error}, or lay its config.json, model.safetensors and tokenizer.json into {folder} by hand"
        ) from error
    total = Download(
        f"{name} on Hugging Face", files[0].download.licence, sum(file.download.nbytes or 0 for file in files)
    )
    tell(f"downloading {total}")
    for file in files:
        cached_download(file.download.url, folder / file.path, is_whole=file.is_whole, progress=progress)
    return folder
