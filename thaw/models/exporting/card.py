"""`model.json`: the facts that a program needs to run an exported model, as data."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, cast

from thaw import __version__
from thaw.foundation.files.atomic import write_text
from thaw.kinds.keys import with_own_key
from thaw.kinds.kind import Preprocessing
from thaw.models.exporting.checking import Checked
from thaw.models.exporting.formats import Format
from thaw.models.exporting.graph import Output, inputs_of, outputs_of
from thaw.models.prediction.predictor import Predictor
from thaw.targets.target import NEITHER

CARD = "model.json"


@dataclass(frozen=True)
class Origin:
    """The origin of an exported model. version: None if it is in no registry. tags: its lineage (`thaw.*`)."""

    name: str
    version: int | None
    uri: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Neither:
    """The rule for `neither`: an example whose `known_score` is below the threshold is labelled `label`. background: the class for everything else, if any."""

    label: str
    score: str
    threshold: float
    background: str | None


@dataclass(frozen=True)
class Card:
    """The content of `model.json`, and the kind of examples.

    labels: `one` label an example, or `sets`. input, and more_inputs if an example is more than one tensor: the graph's inputs, after all of `preprocessing`
    except the steps in `inside`. thresholds: for sets, the least probability at which each class is named. sha256: of `file`.
    """

    kind: str
    name: str
    version: int | None
    uri: str
    format: str
    file: str
    sha256: str
    labels: str
    class_names: tuple[str, ...]
    input: Output
    more_inputs: tuple[Output, ...]
    outputs: tuple[Output, ...]
    preprocessing: Mapping[str, Any]
    inside: tuple[str, ...]
    thresholds: Mapping[str, float] | None
    neither: Neither | None
    head: str
    temperature: float
    architecture: str
    layer: str
    pooling: str
    checked: Checked
    thaw: str
    tags: Mapping[str, str]


def build_card(predictor: Predictor, origin: Origin, format_: Format, file: Path, checked: Checked) -> Card:
    """The card of a model that was written to `file`."""
    backbone, head, inputs = predictor.backbone, predictor.head, inputs_of(predictor)
    return Card(
        kind=backbone.kind.name,
        name=origin.name,
        version=origin.version,
        uri=origin.uri,
        format=format_.value,
        file=file.name,
        sha256=_sha256(file),
        labels=head.target.labels,
        class_names=predictor.class_names,
        input=inputs[0],
        more_inputs=inputs[1:],
        outputs=outputs_of(predictor),
        preprocessing=_stated(backbone.preprocessing),
        inside=backbone.kind.normalisation,
        thresholds=_thresholds(predictor),
        neither=_neither(predictor),
        head=head.kind,
        temperature=head.temperature,
        architecture=backbone.architecture,
        layer=predictor.layer,
        pooling=backbone.pooling,
        checked=checked,
        thaw=__version__,
        tags=dict(sorted(origin.tags.items())),
    )


def card_json(card: Card) -> dict[str, Any]:
    """The content of `model.json`; its preprocessing names the kind, and so does the key of the number of checked examples."""
    content = asdict(card)
    kind = content.pop("kind")
    return content | {"checked": with_own_key(content["checked"], kind)}


def write_card(card: Card, folder: Path) -> None:
    """Write `model.json`."""
    write_text(folder / CARD, json.dumps(card_json(card), indent=2, ensure_ascii=False) + "\n")


def _stated(preprocessing: Preprocessing) -> dict[str, Any]:
    """What the preprocessing's JSON states, in the order of its fields."""
    stated: dict[str, Any] = json.loads(preprocessing.to_json())
    names = [field.name for field in fields(cast("Any", preprocessing)) if field.name in stated]
    return {name: stated[name] for name in names} | stated


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _thresholds(predictor: Predictor) -> Mapping[str, float] | None:
    thresholds = predictor.head.thresholds
    return None if thresholds is None else dict(zip(predictor.class_names, thresholds, strict=True))


def _neither(predictor: Predictor) -> Neither | None:
    if predictor.openness is None:
        return None
    openness = predictor.openness
    return Neither(NEITHER, openness.score.name, openness.threshold, openness.background)
