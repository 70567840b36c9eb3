"""The description of the API says what its model's examples are called."""

import json
import re

import pytest
from series_kind.kind import KIND as SERIES
from serving_app import desk_with
from shown_words import OF_IMAGES, visible

from flows.serving.app import Parts, build_app
from flows.serving.document import UNKNOWN, Terms, terms_of, worded_document
from flows.serving.limits import Limits
from thaw.kinds.images.kind import KIND as IMAGES
from thaw.models.serving.pages import Trial, render_docs, render_page

PLACE = re.compile(r"\{(?!digest)[a-z_]+\}")


def document(terms: Terms) -> str:
    openapi = build_app(Parts(Limits(), "models:/m@champion"), desk_with(None)).openapi()
    return json.dumps(worded_document(openapi, terms))


@pytest.mark.parametrize(("terms", "says"), [(terms_of(SERIES), "training series"), (UNKNOWN, "training examples")])
def test_it_says_nothing_of_images_if_the_model_takes_others(terms: Terms, says: str) -> None:
    text = document(terms)
    assert says in text and OF_IMAGES.findall(text) == [] and PLACE.findall(text) == []
    page = visible(render_docs(json.loads(text), terms.words, terms.key, terms.media_types))
    assert says in page and OF_IMAGES.findall(page) == []


def test_the_schemas_name_the_key_of_the_kind() -> None:
    for kind, media_type in ((SERIES, "text/csv"), (IMAGES, "image/*")):
        openapi = json.loads(document(terms_of(kind)))
        for schema in ("Prediction", "Unusable"):
            assert kind.name in openapi["components"]["schemas"][schema]["required"]
        body = openapi["paths"]["/predict"]["post"]["requestBody"]["content"]
        assert list(body) == ["multipart/form-data", media_type]
        assert list(body["multipart/form-data"]["schema"]["properties"]) == [kind.name]


def test_the_commands_send_files_of_the_kind() -> None:
    terms = terms_of(SERIES)
    page = render_docs(json.loads(document(terms)), terms.words, terms.key, terms.media_types)
    assert "curl -F series=@first.csv -F series=@second.csv" in page
    assert 'curl --data-binary @first.csv -H "Content-Type: text/csv"' in page
    unknown = render_docs(json.loads(document(UNKNOWN)), UNKNOWN.words, UNKNOWN.key, UNKNOWN.media_types)
    assert "curl -F examples=@first.bin" in unknown and "--data-binary" not in unknown


def test_the_page_to_try_a_model_on_asks_for_files_of_the_kind() -> None:
    page = render_page(Trial(SERIES.words, SERIES.media_types, 32, 16, shows_examples=False, can_be_typed=False))
    assert "Drop a series" in page and "Choose series" in page and 'accept="text/csv"' in page
    assert OF_IMAGES.findall(visible(page)) == [] and "Nearest training series" in page
