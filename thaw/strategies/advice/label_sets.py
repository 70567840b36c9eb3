"""Which strategy label sets get, and why; as `data/advice.json` has it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from thaw.foundation.errors import BadArtifact, BadParameters
from thaw.foundation.files.atomic import write_bytes
from thaw.foundation.statistics.bootstrap import FloatArray
from thaw.pages.layout import render
from thaw.params.sections import StrategyParams
from thaw.params.strategy import Strategy
from thaw.targets.paired import mean_difference


@dataclass(frozen=True)
class LabelSetAdvice:
    """The strategy that later stages follow, and why."""

    strategy: Strategy
    reason: str
    format: Literal["thaw.label-set-advice/1"] = "thaw.label-set-advice/1"


def advise_on_sets(params: StrategyParams, layers: Sequence[str]) -> LabelSetAdvice:
    """What is followed; `layers` are the cut layers that have features, in order of depth.

    Raises:
        BadParameters: a strategy that label sets have not got, or a layer without features.
    """
    if params.kind not in ("auto", "linear", "mlp", "knn", "cut"):
        raise BadParameters(
            f"strategy.kind: {params.kind} works on one label an image, and the listing has sets of labels; "
            "take auto, linear, mlp, knn, or cut with strategy.layer"
        )
    if params.layer is not None and params.layer not in layers:
        raise BadParameters(
            f"strategy.layer: there are no features of {params.layer!r}, only of {', '.join(layers)}; add it to backbone.layers"
        )
    if params.kind == "cut" and params.layer is None:
        raise BadParameters(
            f"strategy.kind: with sets of labels, cut needs strategy.layer, which is one of {', '.join(layers)}"
        )
    layer = params.layer or layers[-1]
    if params.kind != "auto":
        return LabelSetAdvice(Strategy(params.kind, layer), "params.yaml asks for it")
    where = "the last layer" if params.layer is None else f"`{layer}`, which params.yaml asks for"
    return LabelSetAdvice(
        Strategy("linear", layer),
        f"a linear head on {where}: the other strategies are not measured where images have sets of labels",
    )


def advise_by_depth(losses: Mapping[str, FloatArray]) -> LabelSetAdvice:
    """An earlier layer where a head there is less surprised by held-out rows than on the last one, beyond the paired interval; else the last layer.

    losses: float64 [N] for each layer, in order of depth, of the same rows.
    """
    *earlier, last = losses
    gains = {layer: mean_difference(losses[last], losses[layer]) for layer in earlier}
    best = max(gains, key=lambda layer: gains[layer].low, default=last)
    if best == last or gains[best].low <= 0:
        reason = "no earlier layer has a lower log loss on held-out images beyond its interval"
        return LabelSetAdvice(
            Strategy("linear", last), f"{reason}; other strategies are not measured where images have sets of labels"
        )
    gain = gains[best]
    return LabelSetAdvice(
        Strategy("cut", best),
        f"a head on `{best}` has a log loss of {losses[best].mean():.3f} on held-out images, against {losses[last].mean():.3f} on the last layer (lower by "
        f"{gain.low:.3f} to {gain.high:.3f}); other strategies are not measured where images have sets of labels",
    )


_ADAPTER = TypeAdapter(LabelSetAdvice)


def write_label_set_advice(advice: LabelSetAdvice, path: Path) -> None:
    """Write the advice as JSON, atomically."""
    write_bytes(path, _ADAPTER.dump_json(advice, indent=2) + b"\n")


def read_label_set_advice(path: Path) -> LabelSetAdvice | None:
    """Read what `write_label_set_advice` wrote; None: the advice is on single labels, or not of this version.

    Raises:
        BadArtifact: the file is missing.
    """
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except ValidationError:
        return None
    except OSError as error:
        raise BadArtifact(f"{path} cannot be read ({error}); run `thaw run --stage advise` to make it again") from error


def render_label_set_advice(advice: LabelSetAdvice, title: str) -> str:
    """The page as HTML."""
    return render("strategies/advice/label_sets.html.j2", {"title": title, "advice": advice})
