"""What is asked for in a notebook, as the parameters of a project state it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.official_weights import weights_of
from thaw.foundation.errors import BadParameters
from thaw.kinds.kind import Backed, Kind
from thaw.notebook.cache import Cache, cache_at
from thaw.notebook.telling import Teller
from thaw.params.sections import Params
from thaw.params.values.kind import kind_of
from thaw.params.values.places import NAMED_WEIGHTS
from thaw.params.values.reading import check_params
from thaw.targets.supports import require
from thaw.targets.target import target_named

Target = Literal["auto", "one_label", "label_sets", "trigger"]
Changes = Mapping[str, object]
"""Values of parameters by their keys in `params.yaml`, such as `{"head.l2": [0.01]}`."""
_NO_BOUND = 2**31
"""Files that cannot be used are named, and never stop the work."""


@dataclass(frozen=True, eq=False)
class Setup:
    """asked: the parameters, as a project would state them; the source's path is absolute. cache, teller: see there."""

    asked: Params
    cache: Cache
    teller: Teller

    @cached_property
    def params(self) -> Params:
        """The parameters with the backbone's file where it lies on this machine, and without a bound on files that cannot be used."""
        weights = str(self.cache.laid(Path(self.asked.backbone.weights)))
        return self.asked.model_copy(
            update={
                "dataset": self.asked.dataset.model_copy(update={"max_rejected": _NO_BOUND}),
                "backbone": self.asked.backbone.model_copy(update={"weights": weights}),
            }
        )

    @cached_property
    def kind(self) -> Kind:
        """The kind of the examples."""
        return kind_of(self.params)

    def on(self, source: Path, listing: str | None) -> "Setup":
        """The same for another source; listing: None: that of this source, if the other one has a file of its name."""
        own = self.asked.dataset.listing
        inherited = own if own is not None and (source / own).is_file() else None
        changed = {"source": str(source), "listing": listing or inherited}
        dataset = self.asked.dataset.model_copy(update=changed)
        return Setup(self.asked.model_copy(update={"dataset": dataset}), self.cache, self.teller)

    def backbone(self, decoding: str | None = None) -> Backbone:
        """The backbone; decoding: of the set that it is used on."""
        return read_backbone(self.params.backbone, decoding)


def set_up(
    kind: Kind | None,
    *,
    source: Path | None = None,
    listing: str | None = None,
    target: Target = "auto",
    backbone: "str | Path | None" = None,
    layers: Sequence[str] = ("auto",),
    strategy: str = "auto",
    changes: Changes | None = None,
    cache: "str | Path | None" = None,
    quiet: bool = False,
) -> Setup:
    """Parameters of the arguments; `changes` come last. kind: of the examples; None: what the backbone takes, which is then named.

    Choices are cross-validated on the training examples, unless `dataset.splits.val` is given.

    Raises:
        BadParameters: a value is not allowed, or the kind names no backbone to begin with.
        BadWeights: the backbone's name is unknown.
    """
    if target == "trigger":
        require(target_named(target), "notebook", f"target={target!r} given")
    values: dict[str, object] = {
        "dataset.splits.val": 0.0,
        "backbone.weights": _weights(backbone, kind),
        "backbone.layers": list(layers),
        "strategy.kind": strategy,
        "strategy.minutes": 0,
        **({} if source is None else {"dataset.source": str(source)}),
        **({} if listing is None else {"dataset.listing": listing}),
        **({} if target == "auto" else {"dataset.target": target}),
    }
    params = check_params(_nested({**values, **(changes or {})}), "the call")
    return Setup(params, cache_at(cache), Teller(quiet))


def _weights(backbone: "str | Path | None", kind: Kind | None) -> str:
    """The value of `backbone.weights`: named weights have their place in a project, files their whole path."""
    if backbone is None:
        if not isinstance(kind, Backed):
            many = "examples of this kind" if kind is None else kind.words.many
            raise BadParameters(f"no backbone is usual for {many}; name one by backbone=, such as a file of weights")
        backbone = kind.usual_backbone
    weights = weights_of(str(Path(backbone).expanduser()) if isinstance(backbone, Path) else backbone)
    return str(weights if weights.parent == NAMED_WEIGHTS else weights.expanduser().absolute())


def _nested(values: Changes) -> dict[str, object]:
    """Dotted keys as sections."""
    nested: dict[str, object] = {}
    for key, value in values.items():
        *sections, name = key.split(".")
        inside = nested
        for section in sections:
            below = inside.setdefault(section, {})
            if not isinstance(below, dict):
                raise BadParameters(f"{key}: {section} is given as a value too; name it once")
            inside = below
        inside[name] = value
    return nested
