"""Copies files of DVC into another checkout: from the project's remote, or from its own cache; both are only read."""

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
"""The name of the project's cache as a remote of the checkout; a cache and a remote have the same layout."""


@dataclass(frozen=True)
class Remote:
    """A remote by its name in DVC's configuration, with a description for people."""

    name: str
    words: str


def configure_remotes(root: Path, checkout: Path) -> tuple[Remote, ...]:
    """Give a checkout the present remotes of the project at `root`, and its cache as a further remote; returns the remotes to pull from, in order.

    The remotes may have been set up after the commit, and relative addresses would lead elsewhere from the checkout.
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
    """The remotes in the output of `dvc config --list`, as sections of a configuration file."""
    sections: dict[str, dict[str, str]] = {}
    for key, value in _settings(settings).items():
        if key.startswith("remote."):
            name, _, option = key.removeprefix("remote.").rpartition(".")
            sections.setdefault(_section(name), {})[option] = value
    return sections


def pull(checkout: Path, target: str, remotes: Sequence[Remote]) -> str | None:
    """Copy a file or folder into the checkout; returns the description of its remote, None if no remote has all of it."""
    for remote in remotes:
        process = _dvc(checkout, "pull", "--quiet", "--remote", remote.name, target)
        if process.returncode == 0 and (checkout / target).exists():
            return remote.words
    return None


def find(checkout: Path, target: str, remotes: Sequence[Remote]) -> str | None:
    """The description of the remote that `pull` would use; copies nothing."""
    for remote in remotes:
        process = _dvc(checkout, "status", "--cloud", "--json", "--remote", remote.name, target)
        if process.returncode == 0 and set(json.loads(process.stdout or "{}").values()) == {
            "deleted"
        }:  # the remote has it, the checkout has not
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
