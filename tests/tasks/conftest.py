"""Where the tests of the stages, and of what people ask for beside them, work: projects and registries of their own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from registration import copy_empty_store, inside

from tasks.registry.registry import Registry, open_registry
from thaw.params.sections import RegistryParams


@pytest.fixture(scope="module")
def template(built_project: Path) -> Path:
    """What `project` is a copy of; modules that need more than pictures and the stages up to `evaluate` say so with one of their own."""
    return built_project


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the template to work in: it is the working directory."""
    root = Path(shutil.copytree(template, tmp_path / "project"))
    with inside(root):
        yield root


@pytest.fixture
def registry(empty_store: Path, tmp_path: Path) -> Iterator[Registry]:
    """The model `pets` without a version, in a project that is the working directory."""
    with inside(copy_empty_store(empty_store, tmp_path)):
        registry = open_registry(RegistryParams(name="pets"))
        registry.client.create_registered_model(registry.name)
        yield registry
