"""Thaw as a package: the wheel, installed in an environment of its own, makes a project and runs it, with no clone in sight."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from documented import DOCS, block_with
from project import CHEAP, PROGRAMS, copy_tree
from registration import copy_empty_store

from thaw import __version__

pytestmark = pytest.mark.slow
ROOT = Path.cwd()


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new environment with the wheel. The other packages are those of this environment, which the lock has installed; its own Thaw is not."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    copy_tree(source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheel = ["wheel", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", str(folder), str(source)]
    subprocess.run([*pip, *wheel], check=True)
    venv.create(folder / "env", with_pip=False, symlinks=True)
    (built,) = folder.glob("*.whl")
    subprocess.run(
        [*pip, "--python", str(folder / "env/bin/python"), "install", "--no-deps", "--no-index", str(built)], check=True
    )
    own = next((folder / "env/lib").glob("python*/site-packages"))
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if "thaw" not in package.name and not (own / package.name).exists():
            (own / package.name).symlink_to(package)
    for name in ("dvc", "mlflow", "prefect"):
        script = (PROGRAMS / name).read_text().partition("\n")[2]
        (folder / "env/bin" / name).write_text(f"#!{folder / 'env/bin/python'}\n{script}")
        (folder / "env/bin" / name).chmod(0o755)
    return folder / "env/bin"


def test_the_wheel_makes_a_project_and_runs_it_to_a_champion(
    programs: Path, tmp_path: Path, prefect: str, empty_store: Path
) -> None:
    inherited = {"PYTHONPATH", "PREFECT_HOME", "MLFLOW_TRACKING_URI", "VIRTUAL_ENV"}
    environment = {name: value for name, value in os.environ.items() if name not in inherited} | {
        "PATH": f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin", "PREFECT_API_URL": prefect,
        "GIT_AUTHOR_NAME": "Tester", "GIT_AUTHOR_EMAIL": "tester@example.org",
        "GIT_COMMITTER_NAME": "Tester", "GIT_COMMITTER_EMAIL": "tester@example.org",
    }  # fmt: skip

    def call(*command: str, folder: Path = tmp_path / "digits") -> str:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    begin, enter, run = block_with(DOCS / "projects.md", "thaw init digits").splitlines()
    assert (enter, run) == ("cd digits", "thaw run")
    call(*begin.split(), folder=tmp_path)
    copy_empty_store(empty_store, tmp_path / "digits")
    call("thaw", "config", "set", *CHEAP)
    call("git", "commit", "--quiet", "--all", "--message", "Cheap")
    told = call(*run.split())
    assert "version 1 is the champion now" in told
    where = call("python", "-c", "import thaw, tasks, flows; print(thaw.__file__, tasks.__file__, flows.__file__)")
    assert str(ROOT) not in where and where.count(str(programs.parent)) == 3
    assert "Nothing to do: every stage is up to date." in call("thaw", "run")
    assert call("git", "status", "--porcelain").split() == ["??", "dvc.lock"]
    code = tmp_path / "digits/data/code.yaml"
    code.write_text(code.read_text().replace("track: ", "track: 0").replace("thaw: ", "thaw: 0."))
    refused = subprocess.run(
        ["dvc", "repro"], cwd=code.parents[1], env=environment, capture_output=True, text=True, check=False
    )
    assert refused.returncode and f"is of Thaw 0.{__version__}, and {__version__} is installed" in refused.stderr
    for line in block_with(DOCS / "projects.md", "thaw init --upgrade").splitlines():
        told = call(*line.split())
        assert "The code of track has changed" in told
    assert "didn't change, skipping" in call("dvc", "repro")
    images = sorted((tmp_path / "digits/data/sources/digits/7").glob("*.png"))[:2]
    assert call("thaw", "predict", *map(str, images)).count("7") >= 2
