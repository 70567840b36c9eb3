"""Built-in data sets, written as ordinary files, like a user's own data."""

import io
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from thaw.dataset import sms_spam, spoken_digits
from thaw.foundation.errors import BadArtifact, BadSource
from thaw.foundation.files.downloads import Download, cached_download, hub_folder

HYMENOPTERA_URL = "https://download.pytorch.org/tutorial/hymenoptera_data.zip"
"""The set of PyTorch's tutorial on transfer learning: photographs of ants and bees, in train and val."""

_PHOTOGRAPH = re.compile(
    r"hymenoptera_data/(?P<split>train|val)/(?P<label>ants|bees)/(?P<name>[^/\\]+\.jpe?g)", re.IGNORECASE
)
_MOST_BYTES = 500 * 2**20


def write_builtin(folder: Path) -> None:
    """Write the built-in set that has the folder's name, if the folder does not exist yet.

    The set is written beside the folder and renamed, so that a killed run leaves no half of it.

    Raises:
        BadSource: there is no such set.
        Unreachable, BadArtifact: the download failed.
    """
    if folder.exists():
        return
    if folder.name not in BUILTIN:
        raise BadSource(
            f"`{folder}` does not exist, and no built-in set has that name; the built-in sets are {', '.join(BUILTIN)}"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".tmp-", dir=folder.parent))
    try:
        BUILTIN[folder.name](temporary)
        temporary.chmod(0o755)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_digits(folder: Path) -> None:
    """scikit-learn's digits: 1797 of 8 x 8 pixels, grey 0 to 16 scaled to 0 to 255; `3/digit-0045.png`."""
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    images, targets = load_digits(return_X_y=True)
    grey = np.rint(images.reshape(-1, 8, 8) * 255 / 16).astype(np.uint8)
    for index, (pixels, target) in enumerate(zip(grey, targets, strict=True)):
        stored = io.BytesIO()
        # The files are not compressed, because the bytes, and so the digests, must not depend on Pillow's zlib.
        Image.fromarray(pixels).save(stored, "PNG", compress_level=0)
        path = folder / str(target) / f"digit-{index:04}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(stored.getvalue())


def _write_hymenoptera(folder: Path) -> None:
    """PyTorch's ants and bees; only the JPEG files, because the one GIF is a placeholder, "image not found"."""
    kept = hub_folder("datasets") / "hymenoptera_data.zip"
    archive = cached_download(HYMENOPTERA_URL, kept, is_whole=zipfile.is_zipfile)
    try:
        with zipfile.ZipFile(archive) as content:
            _unpack(content, folder)
    except (zipfile.BadZipFile, EOFError) as error:
        raise BadArtifact(f"{archive} is damaged ({error}); remove it and try again") from error
    if len(list(folder.glob("*/*"))) != 4:
        raise BadArtifact(f"{archive} lacks photographs of ants or bees in train or val; remove it and try again")


def _unpack(content: zipfile.ZipFile, folder: Path) -> None:
    """Write the members whose whole name is as expected, so that none can land outside of `folder`."""
    members = [(member, match) for member in content.infolist() if (match := _PHOTOGRAPH.fullmatch(member.filename))]
    if sum(member.file_size for member, _ in members) > _MOST_BYTES:
        raise zipfile.BadZipFile("it is larger than this set can be")
    for member, match in members:
        path = folder / match["split"].lower() / match["label"].lower() / match["name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.read(member))


BUILTIN: Mapping[str, Callable[[Path], None]] = {
    "digits": _write_digits,
    "hymenoptera": _write_hymenoptera,
    "sms_spam": sms_spam.write_sms_spam,
    "spoken_digits": spoken_digits.write_spoken_digits,
}
"""The functions that write each built-in set into an empty folder."""
DOWNLOADS: Mapping[str, Download] = {
    "hymenoptera": Download(HYMENOPTERA_URL, licence="not stated"),
    "sms_spam": sms_spam.ARCHIVE,
    "spoken_digits": spoken_digits.ARCHIVE,
}
"""The places of the sets that are downloaded."""
