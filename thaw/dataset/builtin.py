"""Built-in data sets, written out as ordinary files, as a user's own would be."""

import io
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from thaw.foundation.errors import BadArtifact, BadSource
from thaw.foundation.files.downloads import cached_download, hub_folder

HYMENOPTERA_URL = "https://download.pytorch.org/tutorial/hymenoptera_data.zip"
"""The set of PyTorch's tutorial on transfer learning: photographs of ants and bees, in train and val."""

_PHOTOGRAPH = re.compile(
    r"hymenoptera_data/(?P<split>train|val)/(?P<label>ants|bees)/(?P<name>[^/\\]+\.jpe?g)", re.IGNORECASE
)
_MOST_BYTES = 500 * 2**20


def write_builtin(folder: Path) -> None:
    """Write the built-in set that `folder` is named after, if it does not exist yet.

    It is written beside and renamed, so that a killed run leaves no half of it.

    Raises:
        BadSource: there is no such set.
        Unreachable, BadArtifact: it has to be downloaded, and that failed.
    """
    if folder.exists():
        return
    if folder.name not in BUILTIN:
        raise BadSource(f"`{folder}` does not exist, and no built-in set has that name; there are {', '.join(BUILTIN)}")
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
        # Not compressed: the bytes, and so the digests, must not depend on which zlib Pillow was built with.
        Image.fromarray(pixels).save(stored, "PNG", compress_level=0)
        path = folder / str(target) / f"digit-{index:04}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(stored.getvalue())


def _write_hymenoptera(folder: Path) -> None:
    """PyTorch's ants and bees. Only JPEG files: its one GIF is a placeholder, "image not found"."""
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
    members = [(member, found) for member in content.infolist() if (found := _PHOTOGRAPH.fullmatch(member.filename))]
    if sum(member.file_size for member, _ in members) > _MOST_BYTES:
        raise zipfile.BadZipFile("it is larger than this set can be")
    for member, found in members:
        path = folder / found["split"].lower() / found["label"].lower() / found["name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.read(member))


BUILTIN: Mapping[str, Callable[[Path], None]] = {"digits": _write_digits, "hymenoptera": _write_hymenoptera}
"""What writes each built-in set into an empty folder."""
