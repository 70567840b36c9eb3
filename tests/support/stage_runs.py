"""Stages in this process, with the parameters as `params.yaml` has them now."""

from types import ModuleType


def run_stage(stage: ModuleType) -> None:
    """Run the stage `settings`, then the stage, as `dvc repro` does."""
    from tasks.stages import settings

    settings.main()
    stage.main()
