"""Barred versions: a version that was rolled back from stays out of use until a person releases it."""

from collections.abc import Sequence

from tasks.registry.attempt import alone, now, user
from tasks.registry.promotion_history import RELEASE, Event, returns
from tasks.registry.registry import Registry, open_registry
from thaw.foundation.errors import RegistryError
from thaw.params.sections import Params

TAG = "barred"
"""The tag of a barred version, below `thaw.`."""


def barred(history: Sequence[Event]) -> dict[int, Event]:
    """The barred versions, each with the entry that barred it. A return to a former champion bars the champion that it leaves."""
    bars: dict[int, Event] = {}
    left = {id(event) for event in returns(history)}
    for event in history:
        if event.kind == RELEASE:
            bars.pop(event.version, None)
        elif event.former is not None and id(event) in left:
            bars[event.former] = event
    return bars


def bar_words(event: Event) -> str:
    """The reason of a bar, with the person and the time."""
    return f"{event.who}, {event.when[:16].replace('T', ' ')} UTC: {event.reason}"


def tag_barred(registry: Registry) -> None:
    """Tag each barred version that exists and has no tag yet."""
    bars = barred(registry.history())
    for version in registry.versions():
        if version.number in bars and f"thaw.{TAG}" not in version.tags:
            registry.tag(version.number, **{TAG: bar_words(bars[version.number])})


def why_barred(number: int, event: Event) -> str:
    """The refusal of a barred version, with advice."""
    return f"version {number} is barred ({bar_words(event)}); `thaw promote --release {number}` releases it, or a new version takes its place"


def release(params: Params, number: int, *, why: str = "") -> str:
    """Release a barred version; returns the change in words. The release is an entry of the history.

    Raises:
        RegistryError: there is no such version, or it is not barred.
    """
    with alone():
        registry = open_registry(params.registry)
        registry.version(number)
        event = barred(registry.history()).get(number)
        if event is None:
            raise RegistryError(
                f"version {number} of {registry.name} is not barred; `thaw models` shows which versions are"
            )
        reason = f"released from the bar of {bar_words(event)}{f'; {why}' if why else ''}"
        registry.untag(number, TAG)
        registry.record(Event(RELEASE, now(), user(), number, None, reason))
    return (
        f"version {number} of {registry.name} is released: `thaw promote` judges it if it is the challenger, "
        f"and `thaw rollback --to {number}` gives it the alias back"
    )
