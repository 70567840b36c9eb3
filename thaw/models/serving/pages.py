"""The pages of a server: one to try the model on an example, one that documents the paths. They load nothing from other servers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thaw.kinds.kind import Words
from thaw.pages.layout import render

CSP = (
    "default-src 'none'; connect-src 'self' blob:; img-src 'self' blob: data:; media-src 'self' blob:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)
GUARD = {"Content-Security-Policy": f"{CSP}; frame-ancestors 'none'", "X-Content-Type-Options": "nosniff"}
"""The headers of a page."""
NEIGHBOURS = 8
"""The number of training examples that the page asks for."""


@dataclass(frozen=True)
class Trial:
    """The facts for the page on which an example is dropped or typed.

    media_types: of examples; none: not known yet. most_examples, most_mb: of one request. shows_examples: whether the previews of the gallery are examples.
    can_be_typed, can_be_recorded, part_names: see `Kind`. map_words: see `Veiling`; None: there are no maps.
    """

    words: Words
    media_types: tuple[str, ...]
    most_examples: int
    most_mb: float
    shows_examples: bool
    can_be_typed: bool
    can_be_recorded: bool = False
    part_names: str | None = None
    map_words: str | None = None


def render_page(trial: Trial) -> str:
    """The page on which an example is dropped or typed. It loads everything that changes from its own server."""
    return render("models/serving/page.html.j2", {"policy": CSP, "trial": trial, "neighbours": NEIGHBOURS})


def render_listening(triggers: Sequence[Mapping[str, str | float]]) -> str:
    """The page on which triggers are listened for, with the microphone or in a file; triggers: `word`, `threshold` and `promise` of each, see
    `thaw.models.listening.trigger_model.TriggerModel`."""
    return render("models/serving/listening.html.j2", {"policy": CSP, "triggers": triggers})


@dataclass(frozen=True)
class Operation:
    """One path and method on the page. answers: status, meaning and an example of each."""

    method: str
    path: str
    says: str
    parameters: tuple[tuple[str, str], ...]
    takes: tuple[str, ...]
    answers: tuple[tuple[str, str, str], ...]


def render_docs(openapi: Mapping[str, Any], words: Words, key: str, media_types: Sequence[str]) -> str:
    """The page of an OpenAPI document. key: the shown name of a form's fields. media_types: of an example, the most usual first; none: not known yet."""
    operations = [
        _operation(openapi, path, method, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    ]
    return render(
        "models/serving/docs.html.j2",
        {
            "policy": CSP,
            "title": openapi["info"]["title"],
            "says": openapi["info"]["description"],
            "operations": operations,
            "takes": {content_type for operation in operations for content_type in operation.takes},
            "words": words,
            "key": key,
            "media_type": next(iter(media_types), None),
        },
    )


def _operation(openapi: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> Operation:
    parameters = tuple((each["name"], each.get("description", "")) for each in operation.get("parameters", ()))
    answers = tuple(
        (status, each.get("description", ""), _example(openapi, each))
        for status, each in operation["responses"].items()
    )
    takes = tuple(operation.get("requestBody", {}).get("content", {}))
    return Operation(method.upper(), path, operation.get("description", ""), parameters, takes, answers)


def _example(openapi: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    """The first example of a JSON answer's schema, as text; empty if there is none."""
    schema: Mapping[str, Any] = answer.get("content", {}).get("application/json", {}).get("schema", {})
    for option in (schema, *schema.get("anyOf", ())):
        name = option.get("$ref", "").rpartition("/")[2]
        examples = openapi.get("components", {}).get("schemas", {}).get(name, {}).get("examples")
        if examples:
            return json.dumps(examples[0], indent=2, ensure_ascii=False)
    return ""
