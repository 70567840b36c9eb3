"""The origin of examples and weights for a rebuild: Git, DVC, the stage `fetch`, or their original place if they are unchanged."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import md5
from pathlib import Path

from flows.project.edit_params import edit
from flows.rebuild.dvc_remotes import configure_remotes, find, pull
from tasks.lineage.reproduction import Recipe, read_values, value_at
from tasks.project.progress import counted
from thaw.dataset.places import Places
from thaw.foundation.errors import NotReproducible
from thaw.foundation.files.atomic import write_text
from thaw.lineage.gathering import find_examples, link_examples
from thaw.params.values.places import BUILTIN_SOURCES, NAMED_WEIGHTS
from thaw.params.values.reading import PARAMS

_ELSEWHERE = "rebuilt-source"
"""The folder in the checkout for examples from outside the project."""


@dataclass(frozen=True)
class Supply:
    """One input of the rebuild: `path` as in the parameters, `origin` in words. `changed` and `gone` list examples that are no longer available."""

    path: str
    origin: str
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.changed and not self.gone


@dataclass(frozen=True)
class Place:
    """The project at `root`, which is only read, and the checkout of the rebuild."""

    root: Path
    checkout: Path


def look_for(recipe: Recipe, place: Place) -> tuple[Supply, ...]:
    """The supplies that `bring` would find; it copies no file, and only configures the remotes of the checkout."""
    remotes = configure_remotes(place.root, place.checkout)
    return _supplies(recipe, place, partial(find, place.checkout, remotes=remotes), lay_out=False)


def bring(recipe: Recipe, place: Place) -> tuple[Supply, ...]:
    """Copy examples and weights into the checkout, and write their paths into its parameters.

    Raises:
        NotReproducible: some are no longer available; the message lists them.
    """
    remotes = configure_remotes(place.root, place.checkout)
    supplies = _supplies(recipe, place, partial(pull, place.checkout, remotes=remotes), lay_out=True)
    for supply in supplies:
        if not supply.complete:
            raise NotReproducible(_say_missing(recipe, supply))
    return supplies


def _supplies(recipe: Recipe, place: Place, have: Callable[[str], str | None], *, lay_out: bool) -> tuple[Supply, ...]:
    values = read_values(place.checkout / PARAMS)
    source, weights = str(value_at(values, "dataset.source")), str(value_at(values, "backbone.weights"))
    source_keeper = _keeper(place, source, have)
    examples = (
        _examples(recipe, place, source, lay_out=lay_out) if source_keeper is None else Supply(source, source_keeper)
    )
    if lay_out and value_at(values, "extract.store") is not None:
        _set(place, "extract.store=null")  # otherwise features of the remote store would count as rebuilt
    return examples, _weights(recipe, place, weights, _keeper(place, weights, have), lay_out=lay_out)


def _keeper(place: Place, path: str, have: Callable[[str], str | None]) -> str | None:
    """The keeper of a path: Git, DVC, or a stage that makes it; None if nothing keeps it."""
    if _is_outside(path):
        return None
    if (place.checkout / path).exists():
        return "Git"
    keeper = have(path)
    if keeper is None and any(Path(path).is_relative_to(folder) for folder in (BUILTIN_SOURCES, NAMED_WEIGHTS)):
        return "the stage `fetch`"
    return keeper


def _examples(recipe: Recipe, place: Place, source: str, *, lay_out: bool) -> Supply:
    """The examples in their original place, each checked by its digest."""
    encoding = value_at(read_values(place.checkout / PARAMS), "dataset.encoding")
    places = Places(place.root / source, None if encoding is None else str(encoding))
    with counted("look for", "examples") as progress:
        gathered = find_examples(recipe.manifest, places, progress)
    origin = f"{place.root / source}, where each example has its recorded digest"
    if not gathered.complete or not lay_out:
        return Supply(source, origin, gathered.changed, gathered.gone)
    is_table = places.source.is_file()
    inside = Path(_ELSEWHERE, places.source.name if is_table else "") if _is_outside(source) else Path(source)
    into = place.checkout / (inside.parent if is_table else inside)
    link_examples(gathered, into)
    if _is_outside(source):
        _set(place, f"dataset.source={inside}")
    listing = value_at(read_values(place.checkout / PARAMS), "dataset.listing")
    if recipe.listing is not None and listing is not None:
        (into / str(listing)).parent.mkdir(parents=True, exist_ok=True)
        (into / str(listing)).write_bytes(recipe.listing.read_bytes())
    return Supply(source, origin)


def _weights(recipe: Recipe, place: Place, weights: str, keeper: str | None, *, lay_out: bool) -> Supply:
    if keeper is not None:
        return Supply(weights, keeper)
    file = place.root / weights
    recorded = {dep.md5 for stage in recipe.lineage.stages for dep in stage.deps if dep.path == weights}
    if not file.is_file():
        return Supply(weights, str(file), gone=(weights,))
    if recorded and md5(file.read_bytes(), usedforsecurity=False).hexdigest() not in recorded:
        return Supply(weights, str(file), changed=(weights,))
    if lay_out:
        _set(place, f"backbone.weights={file.resolve()}")
    same = "with the recorded MD5" if recorded else "whose MD5 was not recorded"
    return Supply(weights, f"{file}, {same}")


def _is_outside(path: str) -> bool:
    return Path(path).is_absolute() or ".." in Path(path).parts


def _set(place: Place, assignment: str) -> None:
    """Change the checkout's parameters."""
    path = place.checkout / PARAMS
    write_text(path, edit(path.read_text(encoding="utf-8"), [assignment]))


_LISTED_AT_MOST = 20


def _say_missing(recipe: Recipe, supply: Supply) -> str:
    problems = [
        f"{len(paths)} {state}: {', '.join(paths[:_LISTED_AT_MOST])}{' ...' if len(paths) > _LISTED_AT_MOST else ''}"
        for state, paths in (("gone", supply.gone), ("changed", supply.changed))
        if paths
    ]
    number, path = recipe.version.number, supply.path
    keep = (
        "put the next examples inside the project, where `dvc add` can keep them"
        if _is_outside(path)
        else (f"keep the next examples with `dvc add {path}` and `dvc push`")
    )
    return (
        f"{recipe.version.uri} cannot be rebuilt from {path}: {'; '.join(problems)}. Neither Git nor DVC keeps it; bring the files back "
        f"(`thaw reproduce {number} --dry-run --json` lists all), and {keep}"
    )
