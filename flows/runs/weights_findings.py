"""The checks of the backbone before a run: its file or name, its tensors, its layers and its kind; nothing runs forward."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from flows.runs.data_findings import nearest
from flows.runs.findings import Finding, Verdict, unless_unchanged
from thaw.foundation.errors import ThawError
from thaw.foundation.files.downloads import size_of
from thaw.foundation.files.state import state_of
from thaw.params.sections import Params
from thaw.params.values.kind import kind_of
from thaw.params.values.places import NAMED_WEIGHTS, shipped_in, tower_place
from thaw.params.values.strategy import ZERO_SHOT

if TYPE_CHECKING:
    from thaw.backbones.providers.names import Provided
    from thaw.backbones.providers.origin import Origin

RANDOM_ENDING = ".random.safetensors"


def check_weights(root: Path, params: Params, *, used: bool = True) -> tuple[Finding, ...]:
    """Check the weights as the stages read them, or the name by which they are fetched; nothing is read again until the file changes.

    Args:
        root: the project's folder.
        params: `backbone`, `extract.device` and `strategy.kind` are used.
        used: whether the pipeline reads weights.
    """
    name = params.backbone.weights
    path = root / name
    if path.is_dir():
        return (_fails(f"{name} is a folder", "name the file of weights in it"),)
    if not path.is_file() and Path(name).parent != NAMED_WEIGHTS:
        near = nearest(path)
        advice = "set backbone.weights to a file of weights, or to official weights by name"
        return (_fails(f"{name} does not exist" + (f", and {near} beside it does" if near else ""), advice),)
    if not used:
        return (Finding("weights", Verdict.PASS, f"{name} is there"),)
    state = [params.backbone.model_dump(mode="json"), params.extract.device, params.strategy.kind, state_of(path)]
    return unless_unchanged(root, "weights", state, lambda: tuple(_look(root, params)))


def _fails(says: str, advice: str = "") -> Finding:
    return Finding("weights", Verdict.FAIL, says, advice)


def _look(root: Path, params: Params) -> Iterator[Finding]:
    name = params.backbone.weights
    if (root / name).is_file():
        yield from _read(root, params)
    else:
        yield from _named(name)
    if params.extract.device == "auto":  # an existing device
        return
    from thaw.backbones.devices import best_device

    try:
        best_device(params.extract.device)
    except ThawError as error:
        yield Finding("extract.device", Verdict.FAIL, str(error).removeprefix("extract.device: "))


def _read(root: Path, params: Params) -> Iterator[Finding]:
    """Read the weights, find their architecture and their layers."""
    from thaw.backbones.backbone import read_backbone

    name = params.backbone.weights
    try:
        backbone = read_backbone(params.backbone.model_copy(update={"weights": str(root / name)}))
    except ThawError as error:
        yield _fails(str(error).replace(str(root / name), name))
        return
    yield Finding("weights", Verdict.PASS, "; ".join((f"{name}: {backbone.architecture}", *backbone.notes)))
    yield from _licence(backbone.origin)
    if params.strategy.kind == ZERO_SHOT and not tower_place(root / name).is_dir():
        yield Finding(
            "strategy.kind",
            Verdict.FAIL,
            f"zero_shot needs a text tower, and there is none beside {name}",
            "remove the file if it is a CLIP or SigLIP network that was brought or converted before it had one; or name another backbone",
        )


def _licence(origin: "Origin | None") -> Iterator[Finding]:
    """What the licence of weights allows, where their file states it."""
    if origin is None:
        return
    says = f"{origin.licence}, of {origin.source}"
    if origin.caution is None:
        yield Finding("licence", Verdict.PASS, says)
    else:
        yield Finding("licence", Verdict.WARN, says, origin.caution)


def _named(name: str) -> Iterator[Finding]:
    """Whether the first run can fetch or draw weights of that name."""
    from thaw.backbones.providers.names import provided_in

    if (own := provided_in(Path(name).name)) is not None:
        yield from _provided(name, own)
    else:
        yield _official(name)


def _provided(name: str, own: "Provided") -> Iterator[Finding]:
    from thaw.backbones.providers.registry import provider_of

    provider = provider_of(own)
    try:
        provider.refuse_unknown(own.name)
        origin = provider.origin(own.name)
    except ThawError as error:
        yield _fails(
            str(error).removeprefix("backbone.weights: "), "set backbone.weights to another name, or to a file"
        )
        return
    if name.endswith(RANDOM_ENDING):
        yield Finding("weights", Verdict.PASS, f"{name} is drawn by the first run")
        return
    advice = f"the first run brings it from {origin.source}: be online, or have it in the cache of that library"
    size = "" if origin.nbytes is None else f", {size_of(origin.nbytes)}"
    yield Finding("weights", Verdict.WARN, f"{name} is not here yet{size}", advice)
    yield from _licence(origin)


def _official(name: str) -> Finding:
    """Whether the first run can fetch or draw weights of that official name."""
    if shipped_in(Path(name).name):
        return Finding("weights", Verdict.PASS, f"{name} ships with Thaw")
    from thaw.backbones.converting.official_names import name_in, what_is_fetched
    from thaw.backbones.official_weights import RANDOM, refuse_unknown

    try:
        refuse_unknown(Path(name))
    except ThawError as error:
        return _fails(
            str(error).removeprefix("backbone.weights: "), "set backbone.weights to one of these, or to a file of yours"
        )
    if name.endswith(RANDOM):
        return Finding("weights", Verdict.PASS, f"{name} is drawn by the first run")
    encoder = name_in(Path(name).name)
    what = "it" if encoder is None else what_is_fetched(encoder)
    return Finding("weights", Verdict.WARN, f"{name} is not here yet", f"the first run downloads {what}: be online")


def check_kind(root: Path, params: Params) -> Finding:
    """Check that the backbone takes the kind of examples that the parameters name."""
    try:
        kind = kind_of(params, root)
    except ThawError as error:
        return Finding("kind", Verdict.FAIL, str(error), "or choose other weights")
    return Finding("kind", Verdict.PASS, f"examples are {kind.words.many}")


def check_layer(root: Path, params: Params) -> Finding:
    """Check that the layer of the strategy is extracted."""
    layer, layers = params.strategy.layer, params.backbone.layers
    if layer is not None and layer not in layers and not {"auto", "blocks"} & {*layers}:
        advice = f"set strategy.layer to one of backbone.layers ({', '.join(layers)}), or to null"
        return Finding("strategy.layer", Verdict.FAIL, f"{layer} is not extracted", advice)
    return Finding("strategy.layer", Verdict.PASS, f"{layer or layers[-1]} is extracted")
