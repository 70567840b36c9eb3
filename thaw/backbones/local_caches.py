"""The backbones that lie on this machine: those that ship with Thaw, files of the project, and the caches of PyTorch and of Hugging Face."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from thaw.backbones.converting.official_files import official_file_names, official_files
from thaw.backbones.converting.official_names import SLASH
from thaw.backbones.converting.transformers_folders import settings_in
from thaw.backbones.official_weights import official_names
from thaw.backbones.providers.hf_towers import FAMILIES
from thaw.backbones.providers.packages import is_installed
from thaw.foundation.errors import BadWeights
from thaw.foundation.files.downloads import hub_folder
from thaw.kinds.registry import UNSTATED
from thaw.kinds.stated import kind_stated_in
from thaw.params.values.places import NAMED_WEIGHTS, SHIPPED_WEIGHTS, laid, named_shipped

_ENCODERS_TAKE = "texts"
_WEIGHTS = ("model.safetensors", "pytorch_model.bin", "open_clip_model.safetensors")
_RANDOM = ".random."


@dataclass(frozen=True)
class LocalBackbone:
    """name: see `thaw.backbones.official_weights.weights_of`. kind: of the examples that it takes. nbytes: of its files."""

    name: str
    kind: str
    nbytes: int


def local_backbones(folder: Path = NAMED_WEIGHTS) -> tuple[LocalBackbone, ...]:
    """Every backbone with pretrained weights that needs no network, the smallest first. folder: of the project's named weights."""
    found = [*_shipped(), *_in_project(folder), *_of_torchvision(folder), *_of_hub(folder), *_encoders(folder)]
    return tuple(sorted(found, key=lambda each: (each.nbytes, each.name)))


def _shipped() -> Iterator[LocalBackbone]:
    for name in SHIPPED_WEIGHTS:
        path = laid(named_shipped(name))
        yield LocalBackbone(name, kind_stated_in(path) or UNSTATED, path.stat().st_size)


def _in_project(folder: Path) -> Iterator[LocalBackbone]:
    for path in sorted(folder.glob("*")):
        shipped = path.name in {named_shipped(name).name for name in SHIPPED_WEIGHTS}
        if path.suffix in (".pth", ".safetensors") and path.is_file() and not shipped and _RANDOM not in path.name:
            yield LocalBackbone(str(path), kind_stated_in(path) or UNSTATED, path.stat().st_size)


def _of_torchvision(folder: Path) -> Iterator[LocalBackbone]:
    checkpoints = hub_folder("checkpoints")
    for name, url in official_names().items():
        path = checkpoints / url.rsplit("/", 1)[-1]
        if path.is_file() and not (folder / f"{name}.pth").is_file():
            yield LocalBackbone(name, UNSTATED, path.stat().st_size)


def _of_hub(folder: Path) -> Iterator[LocalBackbone]:
    """Networks of timm and vision towers of transformers in the cache of Hugging Face, where their libraries are installed."""
    if not is_installed("huggingface_hub"):
        return
    from huggingface_hub import constants

    for repository in sorted(Path(constants.HF_HUB_CACHE).glob("models--*--*")):
        _, owner, name = repository.name.split("--", 2)
        snapshot = _snapshot(repository)
        nbytes = 0 if snapshot is None else _nbytes(snapshot)
        asked = _asked(owner, name, snapshot) if snapshot is not None and nbytes else None
        if asked is not None and not (folder / f"{asked.replace('/', SLASH)}.safetensors").is_file():
            yield LocalBackbone(asked, UNSTATED, nbytes)


def _snapshot(repository: Path) -> Path | None:
    """The files of the revision that a name stands for."""
    try:
        snapshot = repository / "snapshots" / (repository / "refs" / "main").read_text().strip()
    except OSError:
        return None
    return snapshot if snapshot.is_dir() else None


def _nbytes(snapshot: Path) -> int:
    """The size of the weights; 0: they are not there, or in several files."""
    return next(((snapshot / file).stat().st_size for file in _WEIGHTS if (snapshot / file).exists()), 0)


def _asked(owner: str, name: str, snapshot: Path) -> str | None:
    """The name of a repository's network with the prefix of its provider; None: no provider reads it, or its library is not installed."""
    if owner == "timm":
        from thaw.backbones.providers.timm_provider import TimmProvider

        try:
            TimmProvider().refuse_unknown(name)
        except BadWeights:
            return None
        return f"timm/{name}"
    try:
        settings = settings_in(snapshot / "config.json")
    except BadWeights:
        return None
    tower = settings.get("vision_config", settings)
    kind = tower.get("model_type") if isinstance(tower, dict) else None
    if kind is None and "vision_config" in settings:
        kind = f"{settings.get('model_type')}_vision_model"
    return f"hf/{owner}/{name}" if kind in FAMILIES and is_installed("transformers") else None


def _encoders(folder: Path) -> Iterator[LocalBackbone]:
    """Encoders of texts, of which every file has been downloaded before."""
    place = hub_folder("encoders")
    for name in official_file_names():
        stated = official_files(name)
        if stated is None or stated.words is not None or (folder / f"{name}.safetensors").is_file():
            continue
        files = [place / file if len(stated.files) == 1 else place / name / file for file in stated.files]
        if all(file.is_file() for file in files):
            yield LocalBackbone(name, _ENCODERS_TAKE, sum(file.stat().st_size for file in files))
    for weights in sorted(place.glob(f"*{SLASH}*/model.safetensors")):
        own = weights.parent.name
        if (weights.parent / "config.json").is_file() and not (folder / f"{own}.safetensors").is_file():
            yield LocalBackbone(own.replace(SLASH, "/", 1), _ENCODERS_TAKE, weights.stat().st_size)
