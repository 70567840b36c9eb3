"""The description of the API in the words of the kind whose examples the model takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thaw.kinds.keys import EXAMPLES
from thaw.kinds.kind import ANY, Kind, Words


@dataclass(frozen=True)
class Terms:
    """The words of a server. key: the name of the answers in JSON. media_types: of the bytes of an example, the widest last; none: not known yet.

    shows_examples: whether the preview of an example is a file of its kind.
    """

    words: Words
    key: str
    media_types: tuple[str, ...]
    shows_examples: bool

    @property
    def media_type(self) -> str:
        """The widest media type."""
        return self.media_types[-1] if self.media_types else "*/*"


UNKNOWN = Terms(ANY, EXAMPLES, (), shows_examples=False)
"""The terms of a server without a model."""


def terms_of(kind: Kind) -> Terms:
    """The terms of a kind."""
    return Terms(kind.words, kind.name, kind.media_types, shows_examples=kind.previews_are_examples)


def worded_document(openapi: Mapping[str, Any], terms: Terms) -> Any:
    """An OpenAPI document with the words of the terms in their places: `{one}`, `{many}`, `{article}`, `{sample}`, `{key}`, `{media_type}`."""
    words = terms.words
    return _filled(
        openapi,
        {
            "{one}": words.one,
            "{many}": words.many,
            "{article}": words.article,
            "{sample}": words.sample_name,
            "{key}": terms.key,
            "{media_type}": terms.media_type,
        },
    )


def _filled(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for place, word in words.items():
            value = value.replace(place, word)
        return value
    if isinstance(value, Mapping):
        return {_filled(key, words): _filled(each, words) for key, each in value.items()}
    return [_filled(each, words) for each in value] if isinstance(value, list) else value
