"""The stage `settings`: it checks the whole `params.yaml` and writes every value, also the defaults, for the other stages.

`python -m tasks.stages.settings`
"""

from tasks.project.entry import stage
from tasks.project.paths import SETTINGS
from thaw.params.values.reading import read_params, write_settings


def main() -> None:
    """Read and check `params.yaml`, and write the settings."""
    write_settings(read_params(), SETTINGS)


if __name__ == "__main__":
    stage(main)
