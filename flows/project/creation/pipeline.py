"""The `dvc.yaml` of a project beside which Thaw is installed: Thaw's stages, without the one that digests code in the project itself."""

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from flows.dvc.stage_graph import PIPELINE
from flows.dvc.stage_parameters import DIGESTS
from flows.project.errors import DvcFailed
from tasks.project.code_digests import STAGES
from thaw.foundation.files.shipped import shipped

_OURS = frozenset({DIGESTS, *STAGES})


def pipeline_text(present: str = "") -> str:
    """The text of `dvc.yaml`: Thaw's stages of today, then the other stages of the `present` one.

    Raises:
        DvcFailed: `present` is no pipeline.
    """
    yaml = _yaml()
    document = yaml.load(shipped(Path(PIPELINE)).read_text(encoding="utf-8"))
    del document["stages"][DIGESTS]
    for name, stage in _stages(present).items():
        if name not in _OURS:
            document["stages"][name] = stage
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _stages(text: str) -> dict[str, Any]:
    try:
        return dict((_yaml().load(text) or {}).get("stages") or {})
    except (YAMLError, AttributeError) as error:
        raise DvcFailed(f"dvc.yaml cannot be read: {error}") from error


def _yaml() -> YAML:
    yaml = YAML()
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml
