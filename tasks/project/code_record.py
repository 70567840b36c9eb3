"""The code that a project states for its stages: `data/code.yaml`, one digest a stage, and the version of Thaw that they are of."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import write_text

_VERSION = "thaw"


@dataclass(frozen=True)
class Code:
    """Thaw's code. version: Thaw's. digests: by stage; see `tasks.project.code_digests`."""

    version: str
    digests: Mapping[str, str]

    @property
    def text(self) -> str:
        """The content of its file, one line a stage; the same code gives the same text."""
        stream = StringIO()
        YAML().dump({_VERSION: self.version, **self.digests}, stream)
        return stream.getvalue()


def read_code(path: Path) -> Code | None:
    """The code that a file of `write_code` states; None if there is no file.

    Raises:
        BadArtifact: the file is damaged.
    """
    try:
        values = {str(name): str(value) for name, value in YAML(typ="safe").load(path.read_text()).items()}
        return Code(values.pop(_VERSION), values)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, YAMLError, AttributeError, KeyError) as error:
        raise BadArtifact(f"{path} cannot be read ({error!r}); delete it, and `thaw run` makes it again") from error


def write_code(code: Code, path: Path) -> None:
    """Write the code's digests, atomically."""
    write_text(path, code.text)


def changed_code(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """The stages whose digest differs, in the order of `now`."""
    return tuple(stage for stage, digest in now.items() if before.get(stage) != digest)
