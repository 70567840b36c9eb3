"""Weights by name: torchvision's official weights, and random weights of any architecture."""

import difflib
import io
import re
import shutil
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import torch
from torchvision import models

from thaw.backbones.architectures import architecture_names, build_seeded
from thaw.backbones.converting.official_files import official_file_names
from thaw.backbones.converting.official_names import file_of, is_official, name_in
from thaw.backbones.providers.names import TORCHVISION, provided, provided_in
from thaw.backbones.providers.registry import provider_of
from thaw.backbones.shipped_weights import lay_shipped
from thaw.backbones.text_towers import write_beside
from thaw.backbones.weights import read_weights, write_weights
from thaw.foundation.errors import BadWeights
from thaw.foundation.files.atomic import atomic, write_bytes
from thaw.foundation.files.downloads import cached_download, has_sha256, hub_folder
from thaw.foundation.parallel.progress import Progress, untold
from thaw.params.values.places import NAMED_WEIGHTS, SHIPPED_WEIGHTS, named_shipped, shipped_in

_ENDINGS = (".pth", ".pt", ".ckpt", ".bin", ".safetensors")
RANDOM = ".random.pth"
_SEED = 0
_CLASSES = 1000
_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.")


def fetch_weights(path: Path, tell: Callable[[str], None] = lambda sentence: None, progress: Progress = untold) -> None:
    """Write the weights of the name in `path`; an existing file is not changed.

    `ResNet18_Weights.IMAGENET1K_V1.pth` is downloaded once into torch.hub's cache, checked by its hash, and copied. `resnet18.random.pth` is drawn from a
    fixed seed, with torchvision's initialisation, for 1000 classes. `thaw_small.safetensors` ships with Thaw, and is copied. `glove.6B.50d.safetensors` is
    downloaded, checked and converted; see `thaw.backbones.converting.official`. `timm--NAME.safetensors` is brought by timm; see
    `thaw.backbones.providers`.

    Args:
        path: the file.
        tell: a function that shows where weights come from, their licence and their size.
        progress: called with the bytes of an encoder that are downloaded or read.

    Raises:
        BadWeights: the name is unknown (the message names similar ones), or the file holds no plain tensors.
        Unreachable, BadArtifact: the download failed.
    """
    if path.exists() or lay_shipped(path):
        return
    if (brought := provided_in(path.name)) is not None:
        made = provider_of(brought).made(brought.name, tell)
        if made.texts is not None:
            write_beside(path, made.texts)
        write_weights(path, made.weights.tensors, made.weights.metadata)
    elif (name := name_in(path.name)) is not None:
        from thaw.backbones.converting.official import write_official

        write_official(name, path, tell, progress)
    elif path.name.endswith(RANDOM):
        _write_random(path, path.name.removesuffix(RANDOM))
    else:
        _fetch_official(path, path.name.removesuffix(".pth"))


def refuse_unknown(path: Path) -> None:
    """Check that `fetch_weights` can write the weights of the name in `path`.

    Raises:
        BadWeights: the name is unknown; the message names similar ones.
    """
    if shipped_in(path.name) is not None:
        return
    if (own := provided_in(path.name)) is not None:
        provider_of(own).refuse_unknown(own.name)
        return
    if name_in(path.name) is not None:
        return
    if path.name.endswith(RANDOM):
        _refuse_unknown_architecture(path, path.name.removesuffix(RANDOM))
    else:
        _refuse_unofficial(path, path.name.removesuffix(".pth"))


def weights_of(name: str) -> Path:
    """The file of a backbone's name; it is not fetched.

    `resnet18`: the official weights that torchvision recommends. `ResNet18_Weights.IMAGENET1K_V1`: these weights. `resnet18.random`: random weights.
    `thaw_small`, `thaw_words` and `thaw_sounds`: the weights that ship with Thaw.
    `glove.6B.50d`, `ORG/NAME`: an encoder of texts from its official place.
    `timm/NAME`, `hf/ORG/NAME`, `torchvision/NAME`: a network of that library.
    The path of a file, or a name with the ending of one: that file.

    Raises:
        BadWeights: the name is unknown; the message names similar ones.
    """
    if Path(name).suffix.lower() in _ENDINGS or Path(name).is_file():
        return Path(name)
    if (own := provided(name)) is not None:
        provider_of(own).refuse_unknown(own.name)
        return NAMED_WEIGHTS / own.file
    return _unprefixed_weights_of(name.removeprefix(TORCHVISION))


def _unprefixed_weights_of(name: str) -> Path:
    if name in SHIPPED_WEIGHTS:
        return named_shipped(name)
    if name in official_names() or name.removesuffix(".random") in architecture_names():
        return NAMED_WEIGHTS / f"{_recommended(name)}.pth"
    if is_official(name):
        return NAMED_WEIGHTS / file_of(name)
    near = _near(name, [*architecture_names(), *official_names(), *official_file_names()])
    raise BadWeights(f"`{name}` is no architecture, no official weights, and no .pth or .safetensors file; {near}")


def _recommended(name: str) -> str:
    """The weights that torchvision recommends for an architecture; any other name is returned unchanged."""
    if name.endswith(".random") or name in official_names():
        return name
    recommended: object = models.get_model_weights(name)["DEFAULT"]
    return str(recommended)


@cache
def official_names() -> dict[str, str]:
    """torchvision's names of classification weights, and the address of each."""
    enums = [models.get_model_weights(name) for name in models.list_models(module=models)]
    return {str(entry): entry.url for enum in enums for entry in enum}


def _refuse_unofficial(path: Path, name: str) -> None:
    if path.suffix != ".pth" or name not in official_names():
        raise BadWeights(
            _unknown(
                path,
                name,
                [
                    *official_names(),
                    *official_file_names(),
                    *(f"{architecture}.random" for architecture in architecture_names()),
                ],
            )
        )


def _fetch_official(path: Path, name: str) -> None:
    _refuse_unofficial(path, name)
    url = official_names()[name]
    file = url.rsplit("/", 1)[-1]
    match = _HASH_IN_NAME.search(file)
    kept = hub_folder("checkpoints") / file
    cached = cached_download(url, kept, is_whole=has_sha256(match[1] if match else ""))
    read_weights(cached)  # a file of anything but plain tensors is refused before it is moved to its place
    with atomic(path) as temporary:
        shutil.copyfile(cached, temporary)


def _refuse_unknown_architecture(path: Path, architecture: str) -> None:
    if architecture not in architecture_names():
        raise BadWeights(_unknown(path, architecture, architecture_names()))


def _write_random(path: Path, architecture: str) -> None:
    _refuse_unknown_architecture(path, architecture)
    tensors = build_seeded(architecture, _CLASSES, _SEED).state_dict()
    # The tensors are saved to memory: a file saved to a path would hold its temporary name, and differ in each run.
    content = io.BytesIO()
    torch.save(dict(tensors), content)
    write_bytes(path, content.getvalue())


def _unknown(path: Path, name: str, known: Iterable[str]) -> str:
    return (
        f"backbone.weights: `{path}` does not exist, and `{name}` is neither one of torchvision's "
        f"classification weights nor ARCHITECTURE.random; {_near(name, known)}"
    )


def _near(name: str, known: Iterable[str]) -> str:
    by_letters = {name.lower(): name for name in known}
    near = [by_letters[name] for name in difflib.get_close_matches(name.lower(), by_letters, n=4, cutoff=0.5)]
    return f"similar names: {', '.join(near)}" if near else "no name is similar"
