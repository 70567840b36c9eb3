"""The server under requests made from its own OpenAPI document: whatever comes, it answers as documented and never breaks."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from serving_app import Served, desk_with, plain_classifier, served

from flows.serving.app import Parts, build_app
from flows.serving.document import terms_of, worded_document
from flows.serving.limits import Limits
from thaw.kinds.images.kind import KIND
from thaw.kinds.kind import Limits as ExampleLimits

LIMITS = replace(Limits(), example=ExampleLimits(10**6), body_mb=1)
DOCUMENT = worded_document(build_app(Parts(LIMITS, ""), desk_with(None)).openapi(), terms_of(KIND))
schema = schemathesis.openapi.from_dict(DOCUMENT)

NO_SCHEMA_FOR_IMAGES = schemathesis.checks.CHECKS.get_one("positive_data_acceptance")
"""Bytes at random are of the documented type, and are rightly refused: they are no image."""


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served(desk_with(plain_classifier()), LIMITS) as running:
        yield running


@schema.parametrize()
@settings(max_examples=60, suppress_health_check=list(HealthCheck), derandomize=True)
def test_it_answers_as_its_document_says(case: schemathesis.Case, server: Served) -> None:
    case.call_and_validate(base_url=server.address, excluded_checks=[NO_SCHEMA_FOR_IMAGES])
