"""The cache of the Hugging Face hub, filled by hand, for tests without a network."""

from pathlib import Path

import pytest

REVISION = "0" * 40


def lay_snapshot(hub: Path, name: str, patch: pytest.MonkeyPatch) -> Path:
    """An empty snapshot of the repository `name` (`OWNER/NAME`) in a cache at `hub`, where the hub's downloader looks from now on, and nowhere else."""
    patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(hub))
    patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    repository = hub / f"models--{name.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(REVISION)
    snapshot = repository / "snapshots" / REVISION
    snapshot.mkdir(parents=True)
    return snapshot
