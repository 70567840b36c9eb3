"""The files of a new project."""

from collections.abc import Mapping
from pathlib import Path

from flows.dvc.stage_graph import PIPELINE
from flows.prefect_server.deployments import DEPLOYMENTS
from flows.project.creation.examples import notes_in
from flows.project.creation.pipeline import pipeline_text
from tasks.project.code_digests import present_code
from tasks.project.paths import CODE
from thaw.dataset.corrections import CORRECTIONS
from thaw.foundation.files.shipped import shipped
from thaw.params.values.reading import PARAMS

IGNORED = Path(".gitignore")
IGNORED_DATA = Path("data/.gitignore")
README = Path("README.md")
_IGNORED = "/.venv/\n/.thaw/\n/params.yaml.bak\n__pycache__/\n"


def project_files(name: str, parameters: str) -> Mapping[Path, str]:
    """The text of each file of a project, by its path in the project. parameters: the text of `params.yaml`."""
    return {
        Path(PARAMS): parameters,
        Path(PIPELINE): pipeline_text(),
        DEPLOYMENTS: shipped(DEPLOYMENTS).read_text(encoding="utf-8"),
        README: _readme(name, parameters),
        IGNORED: _IGNORED,
        IGNORED_DATA: ignored_data(),
        CORRECTIONS: shipped(CORRECTIONS).read_text(encoding="utf-8").splitlines()[0] + "\n",
        CODE: present_code().text,
    }


def ignored_data() -> str:
    """What Git ignores below `data/`; a project's Git has the digests of the installed code."""
    lines = shipped(IGNORED_DATA).read_text(encoding="utf-8").splitlines()
    return "".join(f"{line}\n" for line in lines if line != f"/{CODE.name}")


def _readme(name: str, parameters: str) -> str:
    from jinja2 import Environment, StrictUndefined

    template = Path(__file__).with_name("README.md.j2").read_text(encoding="utf-8")
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701  # Markdown
    return environment.from_string(template).render(name=name, notes=notes_in(parameters))
