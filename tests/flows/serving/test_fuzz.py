"""The server under requests made from its own OpenAPI document: whatever comes, it answers as documented and never breaks."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from opinions import gallery_of_opinions, predictor_on_opinions
from serving_app import Served, classifier_of, desk_with, plain_classifier, served

from flows.serving.app import Parts, build_app
from flows.serving.document import terms_of, worded_document
from flows.serving.limits import Limits
from thaw.kinds.images.kind import KIND as IMAGES
from thaw.kinds.kind import Kind
from thaw.kinds.kind import Limits as ExampleLimits
from thaw.kinds.texts.kind import KIND as TEXTS

LIMITS = replace(Limits(), example=ExampleLimits(10**6), body_mb=1)


def schema_of(kind: Kind) -> Any:
    openapi = build_app(Parts(LIMITS, ""), desk_with(None)).openapi()
    return schemathesis.openapi.from_dict(worded_document(openapi, terms_of(kind)))


of_images, of_texts = schema_of(IMAGES), schema_of(TEXTS)
NO_SCHEMA_FOR_EXAMPLES = schemathesis.checks.CHECKS.get_one("positive_data_acceptance")
"""Bytes and strings at random are of the documented type, and are rightly refused: they are no image, or an empty text."""
MANY = settings(max_examples=60, suppress_health_check=list(HealthCheck), derandomize=True)


@pytest.fixture(scope="module")
def images() -> Iterator[Served]:
    with served(desk_with(plain_classifier()), LIMITS) as running:
        yield running


@pytest.fixture(scope="module")
def texts() -> Iterator[Served]:
    with served(desk_with(classifier_of(predictor_on_opinions(), gallery_of_opinions())), LIMITS) as running:
        yield running


@of_images.parametrize()
@MANY
def test_it_answers_as_its_document_says(case: schemathesis.Case, images: Served) -> None:
    case.call_and_validate(base_url=images.address, excluded_checks=[NO_SCHEMA_FOR_EXAMPLES])


@of_texts.include(path="/predict").parametrize()
@MANY
def test_it_answers_typed_examples_as_its_document_says(case: schemathesis.Case, texts: Served) -> None:
    case.call_and_validate(base_url=texts.address, excluded_checks=[NO_SCHEMA_FOR_EXAMPLES])
