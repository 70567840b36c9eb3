"""The record of the stages' code: what is written is read, and a damaged file is named."""

from pathlib import Path

import pytest

from tasks.project.code_record import Code, read_code, write_code
from thaw.foundation.errors import BadArtifact


def test_what_is_written_is_read_and_a_damaged_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "code.yaml"
    assert read_code(file) is None
    code = Code("0.1", {"head": "0123456789012345", "ingest": "00000000000e1000"})
    write_code(code, file)
    assert read_code(file) == code and file.read_text() == code.text
    file.write_text("- a list\n")
    with pytest.raises(BadArtifact, match=r"code\.yaml"):
        read_code(file)
