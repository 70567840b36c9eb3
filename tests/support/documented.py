"""The commands that the documentation shows, to be run as they stand, and which test runs which page."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = (README, *sorted(DOCS.glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md")
WALKED = (
    README, *(DOCS / f"{name}.md" for name in (
        "the-pipeline", "data", "strategies", "backbones", "open-set", "promotion", "scoring", "drift", "serving", "export",
        "lineage", "cache-and-scale", "schedules", "texts", "sounds", "wake-word", "radiology", "projects",
    )),
)  # fmt: skip
"""What test_pages.py walks in one project of photos, in this order."""
TUTORIALS = tuple(DOCS / f"tutorial-{name}.md" for name in ("prefect", "dvc", "mlflow"))
"""What test_tutorials.py walks in one project of digits; each begins where the page before has ended."""
TEAM = (DOCS / "operations.md", DOCS / "sharing.md")
"""What test_team.py walks, on servers of a team."""

NOTEBOOK = (DOCS / "python.md",)
"""What tests/thaw/notebook/test_page.py runs in one process, without a project."""


@dataclass(frozen=True)
class Elsewhere:
    """A block of a walked page that another test runs."""

    page: Path
    beginning: str
    """Of one of its lines."""
    test: str
    """The file of that test."""


ELSEWHERE = (
    Elsewhere(DOCS / "promotion.md", "thaw rollback", "tests/flows/runs/test_promote.py"),
    Elsewhere(DOCS / "promotion.md", "thaw promote --override", "tests/flows/runs/test_promote.py"),
    Elsewhere(DOCS / "promotion.md", "thaw promote --release", "tests/flows/runs/test_promote.py"),
    Elsewhere(DOCS / "backbones.md", "cp examples/hymenoptera.yaml", "tests/pipeline/test_real.py"),
    Elsewhere(
        DOCS / "backbones.md", "thaw config set backbone.weights=timm", "tests/flows/runs/test_weights_findings.py"
    ),
    Elsewhere(
        DOCS / "backbones.md", "thaw config set backbone.weights=hf", "tests/flows/runs/test_weights_findings.py"
    ),
    Elsewhere(DOCS / "texts.md", "cp examples/texts.yaml", "tests/pipeline/test_texts.py"),
    Elsewhere(DOCS / "texts.md", "thaw predict", "tests/pipeline/test_texts.py"),
    Elsewhere(DOCS / "texts.md", "curl", "tests/pipeline/test_texts.py"),
    Elsewhere(DOCS / "texts.md", "thaw convert glove.6B.50d glove", "tests/flows/cli/test_convert.py"),
    Elsewhere(DOCS / "texts.md", "thaw pretrain", "tests/flows/cli/test_pretrain.py"),
    Elsewhere(DOCS / "sounds.md", "cp examples/spoken_digits.yaml", "tests/pipeline/test_sounds.py"),
    Elsewhere(DOCS / "wake-word.md", "thaw trigger", "tests/flows/cli/test_trigger.py"),
    Elsewhere(DOCS / "wake-word.md", "thaw listen monday.flac --timeline", "tests/flows/cli/test_trigger.py"),
    Elsewhere(DOCS / "wake-word.md", "thaw serve --trigger", "tests/flows/cli/test_serve_trigger.py"),
    Elsewhere(DOCS / "wake-word.md", "from websockets", "tests/flows/cli/test_serve_trigger.py"),
    Elsewhere(DOCS / "wake-word.md", "thaw export --trigger", "tests/flows/cli/test_export_trigger.py"),
    Elsewhere(DOCS / "sounds.md", "thaw predict", "tests/pipeline/test_sounds.py"),
    Elsewhere(DOCS / "sounds.md", "curl", "tests/pipeline/test_sounds.py"),
    Elsewhere(
        DOCS / "radiology.md", "thaw config set backbone.weights=xrv", "tests/flows/runs/test_weights_findings.py"
    ),
    Elsewhere(DOCS / "radiology.md", "cp examples/chest_xray.yaml", "tests/pipeline/test_radiology.py"),
    Elsewhere(DOCS / "projects.md", "thaw init digits", "tests/pipeline/test_installed.py"),
    Elsewhere(DOCS / "projects.md", "thaw init --upgrade", "tests/pipeline/test_installed.py"),
    Elsewhere(DOCS / "lineage.md", "thaw reproduce", "tests/pipeline/test_team.py"),
    Elsewhere(DOCS / "schedules.md", "thaw notify add", "tests/pipeline/test_team.py"),
)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str = "sh") -> list[str]:
    """The blocks of a page in that language, in order."""
    return [content for kind, content in _BLOCK.findall(page.read_text()) if kind == language]


def block_with(page: Path, beginning: str) -> str:
    """The only block of commands or of Python with a line that begins so."""
    (block,) = [
        block for language in ("sh", "python") for block in blocks(page, language) if has_line(block, beginning)
    ]
    return block


def has_line(block: str, beginning: str) -> bool:
    return any(line.startswith(beginning) for line in block.splitlines())


def walked_blocks(page: Path, language: str = "sh") -> list[str]:
    """The blocks of a page in that language, but those that another test runs."""
    left_out = [each.beginning for each in ELSEWHERE if each.page == page]
    return [block for block in blocks(page, language) if not any(has_line(block, beginning) for beginning in left_out)]


def uses_the_library(python: str) -> bool:
    """Whether a block of Python is the notebook's, which test_notebook.py runs."""
    return "from thaw." in python


def filled_in(text: str, stands_for: dict[str, str]) -> str:
    """A text with the reader's own names in the place of placeholders."""
    for placeholder, content in stands_for.items():
        text = text.replace(placeholder, content)
    return text


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return _BLOCK.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """What `#...` in a link to the page may name: its headings, as GitHub spells them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
