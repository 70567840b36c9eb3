"""Where the images and the weights come from when a version is rebuilt: Git, DVC, the stage `fetch`, or where they lay then, if they are still the same."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import md5
from pathlib import Path

from flows.project.edit_params import edit
from flows.rebuild.dvc_remotes import configure_remotes, find, pull
from tasks.lineage.reproduction import Recipe, read_values, value_at
from tasks.project.progress import counted
from thaw.foundation.errors import NotReproducible
from thaw.foundation.files.atomic import write_text
from thaw.lineage.gathering import find_images, link_images
from thaw.params.places import BUILTIN_SOURCES, NAMED_WEIGHTS
from thaw.params.reading import PARAMS

_ELSEWHERE = "rebuilt-source"
"""Where images from outside the project lie in the checkout."""


@dataclass(frozen=True)
class Supply:
    """One input of the rebuilding: `path` as the parameters name it, `origin` in words. `changed` and `gone` are images that are no longer to be had."""

    path: str
    origin: str
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.changed and not self.gone


@dataclass(frozen=True)
class Place:
    """The project at `root`, whose files are only read, and the checkout where a version is rebuilt."""

    root: Path
    checkout: Path


def look_for(recipe: Recipe, place: Place) -> tuple[Supply, ...]:
    """What `bring` would do; brings nothing but the list of what DVC keeps."""
    remotes = configure_remotes(place.root, place.checkout)
    return _supplies(recipe, place, partial(find, place.checkout, remotes=remotes), lay_out=False)


def bring(recipe: Recipe, place: Place) -> tuple[Supply, ...]:
    """Bring images and weights to the checkout, and have its parameters name them.

    Raises:
        NotReproducible: some are no longer to be had; the message lists them.
    """
    remotes = configure_remotes(place.root, place.checkout)
    found = _supplies(recipe, place, partial(pull, place.checkout, remotes=remotes), lay_out=True)
    for supply in found:
        if not supply.complete:
            raise NotReproducible(_say_missing(recipe, supply))
    return found


def _supplies(recipe: Recipe, place: Place, have: Callable[[str], str | None], *, lay_out: bool) -> tuple[Supply, ...]:
    values = read_values(place.checkout / PARAMS)
    source, weights = str(value_at(values, "dataset.source")), str(value_at(values, "backbone.weights"))
    kept = _kept(place, source, have)
    images = _images(recipe, place, source, lay_out=lay_out) if kept is None else Supply(source, kept)
    if lay_out and value_at(values, "extract.store") is not None:
        _set(place, "extract.store=null")  # or its features would be taken for new ones
    return images, _weights(recipe, place, weights, _kept(place, weights, have), lay_out=lay_out)


def _kept(place: Place, path: str, have: Callable[[str], str | None]) -> str | None:
    """What keeps it: Git, DVC, or a stage that makes it; None: nothing does."""
    if _is_outside(path):
        return None
    if (place.checkout / path).exists():
        return "Git"
    found = have(path)
    if found is None and any(Path(path).is_relative_to(folder) for folder in (BUILTIN_SOURCES, NAMED_WEIGHTS)):
        return "the stage `fetch`"
    return found


def _images(recipe: Recipe, place: Place, source: str, *, lay_out: bool) -> Supply:
    """The images where they lay, each by its digest."""
    with counted("look for", "images") as progress:
        gathered = find_images(recipe.manifest, place.root / source, progress)
    origin = f"{place.root / source}, where each has the digest that was recorded"
    if not gathered.complete or not lay_out:
        return Supply(source, origin, gathered.changed, gathered.gone)
    into = place.checkout / (_ELSEWHERE if _is_outside(source) else source)
    link_images(gathered, into)
    if _is_outside(source):
        _set(place, f"dataset.source={_ELSEWHERE}")
    listing = value_at(read_values(place.checkout / PARAMS), "dataset.listing")
    if recipe.listing is not None and listing is not None:
        (into / str(listing)).parent.mkdir(parents=True, exist_ok=True)
        (into / str(listing)).write_bytes(recipe.listing.read_bytes())
    return Supply(source, origin)


def _weights(recipe: Recipe, place: Place, weights: str, kept: str | None, *, lay_out: bool) -> Supply:
    if kept is not None:
        return Supply(weights, kept)
    file = place.root / weights
    recorded = {dep.md5 for stage in recipe.lineage.stages for dep in stage.deps if dep.path == weights}
    if not file.is_file():
        return Supply(weights, str(file), gone=(weights,))
    if recorded and md5(file.read_bytes(), usedforsecurity=False).hexdigest() not in recorded:
        return Supply(weights, str(file), changed=(weights,))
    if lay_out:
        _set(place, f"backbone.weights={file.resolve()}")
    same = "which has the MD5 that was recorded" if recorded else "whose MD5 was not recorded"
    return Supply(weights, f"{file}, {same}")


def _is_outside(path: str) -> bool:
    return Path(path).is_absolute() or ".." in Path(path).parts


def _set(place: Place, assignment: str) -> None:
    """Change the checkout's parameters."""
    path = place.checkout / PARAMS
    write_text(path, edit(path.read_text(encoding="utf-8"), [assignment]))


_SHOWN = 20


def _say_missing(recipe: Recipe, supply: Supply) -> str:
    said = [
        f"{len(paths)} {what}: {', '.join(paths[:_SHOWN])}{' ...' if len(paths) > _SHOWN else ''}"
        for what, paths in (("gone", supply.gone), ("changed", supply.changed))
        if paths
    ]
    number, path = recipe.version.number, supply.path
    keep = (
        "lay the next ones inside the project, where `dvc add` can keep them"
        if _is_outside(path)
        else (f"keep the next ones with `dvc add {path}` and `dvc push`")
    )
    return (
        f"{recipe.version.uri} cannot be rebuilt from {path}: {'; '.join(said)}. Neither Git nor DVC keeps it; bring the files back "
        f"(`thaw reproduce {number} --dry-run --json` lists all), and {keep}"
    )
