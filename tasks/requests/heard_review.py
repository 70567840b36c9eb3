"""What `thaw review` needs for triggers: a judge of labels on cached sequences, and the sound around the moments that it names."""

from collections.abc import Sequence

from tasks.project.paths import FEATURES_INDEX, STRATEGY
from tasks.stages.heard_recordings import first_window_s, read_heard, sequences_of
from tasks.stages.trigger_head import settings_of
from thaw.dataset.manifest import Example
from thaw.dataset.places import Place, recording_at
from thaw.evaluation.trigger.excerpts import excerpt
from thaw.features.store.store import read_index
from thaw.kinds.kind import Kind, Preview
from thaw.params.sections import Params
from thaw.params.values.strategy import Strategy, read_strategy
from thaw.review.heard import HeardJudge
from thaw.targets.target import Target

BEFORE_S, AFTER_S = 6.0, 3.0
"""The excerpt's length before and after a moment; a clip of the trigger is heard whole."""


def heard_judge(rows: Sequence[Example], params: Params, target: Target) -> HeardJudge:
    """The judge of recordings, by detectors of the strategy; of one layer if there is no advice yet. Recordings are heard without added noise."""
    index = read_index(FEATURES_INDEX)
    layer = sequences_of(index)
    strategy = read_strategy(STRATEGY) if STRATEGY.exists() else Strategy("linear", layer.name)
    settings = settings_of(params, strategy, layer)
    return HeardJudge(
        read_heard(rows, layer),
        settings,
        target,
        first_window_s(settings.places, layer),
        layer.period_s,
    )


def excerpt_of(place: Place, at_s: float, kind: Kind) -> Preview | None:
    """The preview of the sound around a moment of a recording; None where it cannot be heard."""
    file, start_s = recording_at(place)
    if file is None:
        return None
    return excerpt(file, start_s + at_s, kind, before=min(BEFORE_S, at_s), after=AFTER_S)
