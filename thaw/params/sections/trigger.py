"""Parameters of a trigger: a word, or another sound, that is heard in a stream."""

from pydantic import Field, PositiveFloat

from thaw.params.sections.section import Section


class TriggerParams(Section):
    """The triggers, and what is promised of them; these keys are used where `dataset.target` is `trigger`."""

    words: tuple[str, ...] = Field(
        (),
        description="labels that are triggers; every other label, and no label, counts as sound without a trigger",
    )
    false_accepts_per_hour: PositiveFloat = Field(
        0.5,
        description="most false accepts an hour, whose upper bound at `statistics.confidence` the threshold is tuned to, on validation recordings without the "
        "trigger",
    )
    noise: str | None = Field(
        None,
        description="a folder of `dataset.source` whose recordings are noise: those of train are mixed into training recordings of both kinds, and those of "
        "test into test recordings with a trigger, for the misses by noise; null: no noise",
    )
    refractory_s: PositiveFloat = Field(2.0, description="seconds after an event in which there is no other event")
    window_s: float = Field(
        1.96,
        gt=0,
        le=2.4,
        description="seconds of sound that one score looks at; the window begins before the longest trigger, and ends where the trigger ends",
    )
