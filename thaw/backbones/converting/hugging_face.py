"""Encoders on Hugging Face by `ORG/NAME`: the files that a conversion reads, of one revision, with the licence and the hashes that its interface states."""

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thaw.foundation.errors import BadWeights
from thaw.foundation.files.downloads import Download, fetched_bytes, has_sha256

PLACE = "https://huggingface.co"
_FILES = re.compile(
    r"(?:\d_\w+/)?(?:config\.json|model\.safetensors|tokenizer\.json|tokenizer_config\.json|preprocessor_config\.json|vocab\.txt|sentence_bert_config\.json)"
    r"|modules\.json|config_sentence_transformers\.json"
)
"""The files that `thaw.backbones.converting.encoder_folders` reads; no code and no pickle is among them."""
_MOST_BYTES = 10 * 2**20


@dataclass(frozen=True)
class HubFile:
    """A file of a revision. is_whole: the check by the hash that the interface states: SHA-256 of a large file, or Git's hash of a small one."""

    path: str
    download: Download
    is_whole: Callable[[Path], bool]


def hub_files(name: str) -> tuple[HubFile, ...]:
    """The files of `ORG/NAME` that are needed, `config.json` last. The variable HF_ENDPOINT names another place than huggingface.co.

    Raises:
        Unreachable: the interface cannot be read.
        BadWeights: it answers in another form, or there are no weights as safetensors.
    """
    place = os.environ.get("HF_ENDPOINT", PLACE).rstrip("/")
    url = f"{place}/api/models/{name}?blobs=true"
    try:
        stated = json.loads(fetched_bytes(url, _MOST_BYTES))
        files = _files_in(stated, f"{place}/{name}/resolve/{stated['sha']}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadWeights(f"{url} answers in another form than expected ({error!r})") from error
    if not any(file.path.endswith("model.safetensors") for file in files):
        raise BadWeights(
            f"{place}/{name} has no model.safetensors; a pickle (pytorch_model.bin) is not read, and a model in several files neither"
        )
    return files


def _files_in(stated: Mapping[str, Any], address: str) -> tuple[HubFile, ...]:
    licence = str((stated.get("cardData") or {}).get("license") or "not stated")
    files = [
        _file(entry, f"{address}/{entry['rfilename']}", licence)
        for entry in stated["siblings"]
        if _FILES.fullmatch(entry["rfilename"])
    ]
    # A folder with config.json is whole, because that comes last.
    return tuple(sorted(files, key=lambda file: file.path == "config.json"))


def _file(entry: Mapping[str, Any], url: str, licence: str) -> HubFile:
    size, large = int(entry["size"]), entry.get("lfs")
    if large:
        sha256 = str(large["sha256"])
        return HubFile(entry["rfilename"], Download(url, licence, size, sha256), has_sha256(sha256))
    return HubFile(entry["rfilename"], Download(url, licence, size), has_git_hash(str(entry["blobId"])))


def has_git_hash(digest: str) -> Callable[[Path], bool]:
    """A check of a file by the hash of its content in Git (SHA-1, hex)."""

    def check(path: Path) -> bool:
        content = path.read_bytes()
        header = f"blob {len(content)}\0".encode()
        return hashlib.sha1(header + content, usedforsecurity=False).hexdigest() == digest

    return check
