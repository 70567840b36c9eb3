"""The stage `settings`: check `params.yaml` whole, and write every value, defaults too, for the stages to depend on.

`python -m tasks.stages.settings`
"""

from tasks.project.entry import stage
from tasks.project.paths import SETTINGS
from thaw.params.reading import read_params, write_settings


def main() -> None:
    """Read, check, write."""
    write_settings(read_params(), SETTINGS)


if __name__ == "__main__":
    stage(main)
