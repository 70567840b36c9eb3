"""What stages have measured, kept by all that it depends on, as features are: a later run with the same inputs reads it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import thaw
from tasks.project.paths import MANIFEST
from thaw.foundation.files.atomic import digest_bytes, digest_file
from thaw.foundation.files.kept import Kept
from thaw.params.sections import Params


def kept_under(folder: Path, params: Params, files: Sequence[Path], settings: Sequence[object]) -> Kept:
    """The pieces for the manifest, the backbone, the head's parameters and the code, and for these other files and settings."""
    code = sorted(Path(thaw.__file__).parent.rglob("*.py"))
    read = [MANIFEST, Path(params.backbone.weights), *files, *code]
    sections = [params.dataset, params.backbone, params.head, *settings]
    described = [digest_file(path).hex() for path in read] + [repr(section) for section in sections]
    return Kept(folder / digest_bytes("\n".join(described).encode()).hex()[:32])


def forget_others(kept: Kept) -> None:
    """Remove the pieces for other inputs, which lie beside these."""
    if kept.folder is not None and kept.folder.parent.is_dir():
        for other in kept.folder.parent.iterdir():
            if other != kept.folder:
                shutil.rmtree(other, ignore_errors=True)
