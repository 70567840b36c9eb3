"""The licence in the header of a card on Hugging Face."""

from pathlib import Path

import pytest

from thaw.backbones.providers.hf_cards import licence_in
from thaw.backbones.providers.origin import NOT_STATED


@pytest.mark.parametrize(
    ("header", "licence"),
    [
        ("---\nlicense: apache-2.0\n---\n# A card\n", "apache-2.0"),
        ("---\nlicense: other\nlicense_name: dinov3-license\n---\n", "dinov3-license"),
        ("---\ntags: [vision]\n---\n", NOT_STATED),
        ("# No header\n", NOT_STATED),
        ("---\nlicense: [\n---\n", NOT_STATED),
        ("---\n- a list\n---\n", NOT_STATED),
        (None, NOT_STATED),
    ],
)
def test_the_licence_is_what_the_header_states(tmp_path: Path, header: str | None, licence: str) -> None:
    card = tmp_path / "README.md"
    if header is not None:
        card.write_text(header)
    assert licence_in(card) == licence
