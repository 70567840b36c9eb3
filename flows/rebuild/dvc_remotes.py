"""Bringing files that DVC keeps into another checkout: from the project's remote, or from its own cache, which is only read."""

import json
import os
import subprocess
from collections.abc import Sequence
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path

from flows.dvc.stage_graph import ask_dvc
from flows.project.environment import QUIET, path_with_programs

OWN_CACHE = "thaw-own-cache"
"""What the project's cache is called as a remote of the checkout: both are laid out alike."""


@dataclass(frozen=True)
class Remote:
    """A remote by its name in DVC's configuration, and what it is to a reader."""

    name: str
    words: str


def configure_remotes(root: Path, checkout: Path) -> tuple[Remote, ...]:
    """Give a checkout the remotes that the project at `root` has now, and its cache as one more; returns where to pull from, the first first.

    They may have been set up after the commit, and relative addresses would lead elsewhere from there.
    """
    settings = ask_dvc(root, ["config", "--list"])
    cache = ask_dvc(root, ["cache", "dir"]).strip()
    config = ConfigParser(interpolation=None)
    config.read_dict({**remote_sections(settings), _section(OWN_CACHE): {"url": cache}})
    path = checkout / ".dvc/config.local"
    path.touch(mode=0o600)  # it may hold a key
    with path.open("w", encoding="utf-8") as file:
        config.write(file)
    default = _settings(settings).get("core.remote")
    own = Remote(OWN_CACHE, "this project's DVC cache")
    return (own,) if default is None else (Remote(default, f"the DVC remote `{default}`"), own)


def remote_sections(settings: str) -> dict[str, dict[str, str]]:
    """The remotes in what `dvc config --list` prints, as sections of a configuration file."""
    sections: dict[str, dict[str, str]] = {}
    for key, value in _settings(settings).items():
        if key.startswith("remote."):
            name, _, option = key.removeprefix("remote.").rpartition(".")
            sections.setdefault(_section(name), {})[option] = value
    return sections


def pull(checkout: Path, target: str, remotes: Sequence[Remote]) -> str | None:
    """Bring one file or folder to the checkout; returns what it came from, None where nothing has it whole."""
    for remote in remotes:
        done = _dvc(checkout, "pull", "--quiet", "--remote", remote.name, target)
        if done.returncode == 0 and (checkout / target).exists():
            return remote.words
    return None


def find(checkout: Path, target: str, remotes: Sequence[Remote]) -> str | None:
    """What `pull` would bring it from; brings nothing."""
    for remote in remotes:
        done = _dvc(checkout, "status", "--cloud", "--json", "--remote", remote.name, target)
        if done.returncode == 0 and set(json.loads(done.stdout or "{}").values()) == {"deleted"}:  # here, not there
            return remote.words
    return None


def _settings(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines())
    return {key: value for key, _, value in pairs}


def _section(name: str) -> str:
    return f"'remote \"{name}\"'"


def _dvc(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**QUIET, **os.environ, "PATH": path_with_programs(os.environ)}
    return subprocess.run(["dvc", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)
