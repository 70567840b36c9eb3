"""The sections hold values alone: no stage of the pipeline runs again because one of these files has changed."""

import ast
from pathlib import Path

import pytest

SECTIONS = sorted(Path("thaw/params/sections").glob("*.py"))
DECLARED = ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign | ast.Expr | ast.ClassDef
CHECKS = {"field_validator", "model_validator", "classmethod"}


def decorators(function: ast.FunctionDef) -> set[str]:
    calls = (one.func if isinstance(one, ast.Call) else one for one in function.decorator_list)
    return {call.id for call in calls if isinstance(call, ast.Name)}


@pytest.mark.parametrize("path", SECTIONS, ids=lambda path: path.stem)
def test_a_section_declares_and_checks_and_computes_nothing(path: Path) -> None:
    body = ast.parse(path.read_text()).body
    classes = [node for node in body if isinstance(node, ast.ClassDef)]
    for node in [*body, *(inner for found in classes for inner in found.body)]:
        where = f"{path}:{node.lineno}"
        if isinstance(node, ast.FunctionDef):
            checks = decorators(node)
            assert checks & {"field_validator", "model_validator"}, (
                f"{where}: `{node.name}` would change what a stage does unseen by DVC; put it into another module of thaw/params"
            )
            assert checks <= CHECKS, where
        else:
            assert isinstance(node, DECLARED), where
