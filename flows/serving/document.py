"""The description of the API in the words of the kind whose examples the model takes."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from flows.serving.uploads import FORM, JSON, listed
from thaw.kinds.keys import EXAMPLES
from thaw.kinds.kind import ANY, Kind, Veiling, Words


@dataclass(frozen=True)
class Terms:
    """The words of a server. key: the name of the answers in JSON. media_types: of the bytes of an example, the widest last; none: not known yet.

    shows_examples: whether the preview of an example is a file of its kind. can_be_typed: whether strings of JSON are examples.
    can_be_recorded, part_names: see `Kind`. map_words: see `Veiling`; None: there are no maps.
    """

    words: Words
    key: str
    media_types: tuple[str, ...]
    shows_examples: bool
    can_be_typed: bool
    can_be_recorded: bool
    part_names: str | None
    map_words: str | None = None

    @property
    def media_type(self) -> str:
        """The widest media type."""
        return self.media_types[-1] if self.media_types else "*/*"

    @property
    def bodies(self) -> tuple[str, ...]:
        """The content types of a request."""
        return (FORM, *((JSON,) if self.can_be_typed else ()), self.media_type)


UNKNOWN = Terms(ANY, EXAMPLES, (), shows_examples=False, can_be_typed=False, can_be_recorded=False, part_names=None)
"""The terms of a server without a model."""


def terms_of(kind: Kind) -> Terms:
    """The terms of a kind."""
    return Terms(
        kind.words,
        kind.name,
        kind.media_types,
        shows_examples=kind.previews_are_examples,
        can_be_typed=kind.can_be_typed,
        can_be_recorded=kind.can_be_recorded,
        part_names=kind.part_names,
        map_words=kind.map_words if isinstance(kind, Veiling) else None,
    )


def worded_document(openapi: Mapping[str, Any], terms: Terms) -> Any:
    """An OpenAPI document with the words of the terms in their places: `{one}`, `{many}`, `{article}`, `{sample}`, `{key}`, `{media_type}`, `{bodies}`.

    A request's body of JSON is described only where examples can be typed.
    """
    words = terms.words
    return _filled(
        openapi if terms.can_be_typed else _without_typing(openapi),
        {
            "{one}": words.one,
            "{many}": words.many,
            "{article}": words.article,
            "{sample}": words.sample_name,
            "{key}": terms.key,
            "{media_type}": terms.media_type,
            "{bodies}": listed(terms.bodies),
        },
    )


def _without_typing(openapi: Mapping[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = deepcopy(dict(openapi))
    del document["paths"]["/predict"]["post"]["requestBody"]["content"][JSON]
    return document


def _filled(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for place, word in words.items():
            value = value.replace(place, word)
        return value
    if isinstance(value, Mapping):
        return {_filled(key, words): _filled(each, words) for key, each in value.items()}
    return [_filled(each, words) for each in value] if isinstance(value, list) else value
