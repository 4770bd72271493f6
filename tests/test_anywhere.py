"""Where a checkout lies does not matter: names that a shell must quote, a part of a larger repository, no git at all.

A stub stands for DVC, so nothing is computed.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.project import ROOT, tracked

NEED = "error: DVC needs a git repository; clone the project, or: git init && git add -A && git commit -m start\n"
GIT = {
    "GIT_AUTHOR_NAME": "tests", "GIT_AUTHOR_EMAIL": "tests@localhost",
    "GIT_COMMITTER_NAME": "tests", "GIT_COMMITTER_EMAIL": "tests@localhost",
}  # fmt: skip


def run(folder: Path, *command: str, stub: Path | None = None) -> subprocess.CompletedProcess[str]:
    path = f"{stub}{os.pathsep}{os.environ['PATH']}" if stub else os.environ["PATH"]
    environment = os.environ | GIT | {"PATH": path, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def git(folder: Path, *words: str) -> None:
    done = run(folder, "git", "-c", "protocol.file.allow=always", *words)
    assert not done.returncode, done.stderr


def export(folder: Path) -> Path:
    """The project's files, as a ZIP has them."""
    for path in tracked():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, folder / path)
    return folder


def clone(folder: Path) -> Path:
    git(export(folder), "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "start")
    return folder


def subfolder(folder: Path) -> Path:
    """A part of a larger repository."""
    export(folder / "paper" / "it's code")
    (folder / "other.txt").touch()
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "start")
    return folder / "paper" / "it's code"


def worktree(folder: Path) -> Path:
    git(clone(folder / "main"), "worktree", "add", "-q", "-b", "other", "../linked tree")
    return folder / "linked tree"


def submodule(folder: Path) -> Path:
    clone(folder / "origin")
    (folder / "whole").mkdir()
    git(folder / "whole", "init", "-q")
    git(folder / "whole", "submodule", "--quiet", "add", "../origin", "inner part")
    return folder / "whole" / "inner part"


def named(name: str) -> Callable[[Path], Path]:
    return lambda folder: clone(folder / name)


PLACES = {
    "space": named("my runs"),
    "apostrophe": named("it's"),
    "brackets": named("a(b) [c] {d}"),
    "letters": named("für Ölçüm 数据"),
    "signs": named("a & b; c"),
    "subfolder": subfolder,
    "worktree": worktree,
    "submodule": submodule,
}


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    """A folder with a DVC that says where it is and with which words it was called."""
    folder = tmp_path / "stub"
    folder.mkdir()
    (folder / "dvc").write_text('#!/bin/sh\necho "dvc in $PWD:" "$@"\n')
    (folder / "dvc").chmod(0o755)
    return folder


@pytest.mark.parametrize("place", PLACES)
def test_make_smoke_runs_in_a_copy_of_the_working_tree(
    tmp_path: Path, stub: Path, place: str
) -> None:
    project = PLACES[place](tmp_path / "at")
    (project / "lottery" / "errors.py").write_text("changed")
    (project / "new file.txt").write_text("new")
    done = run(project, "make", "-o", "setup", "smoke", stub=stub)
    assert not done.returncode, done.stderr
    config, repro, report = done.stdout.splitlines()
    copy = Path(report.removeprefix("report: ")).parent.parent
    assert copy.is_relative_to(project / "build" / "smoke")
    assert repro == f"dvc in {copy}: repro"
    cache = config.removeprefix(f"dvc in {copy}: config --local cache.dir ")
    assert (copy / cache).resolve() == project / ".dvc" / "cache"
    assert cache.isascii()
    assert (copy / "params.yaml").read_bytes() == (ROOT / "profiles" / "smoke.yaml").read_bytes()
    assert (copy / "lottery" / "errors.py").read_text() == "changed"
    assert (copy / "new file.txt").exists()
    assert not (copy / "dvc.lock").exists()
    assert (project / "dvc.lock").exists()


@pytest.mark.parametrize("place", PLACES)
def test_profiles_are_copied_and_help_is_shown(tmp_path: Path, place: str) -> None:
    project = PLACES[place](tmp_path / "at")
    done = run(project, "make", "profile", "NAME=smoke")
    assert not done.returncode, done.stderr
    assert (project / "params.yaml").read_bytes() == (ROOT / "profiles" / "smoke.yaml").read_bytes()
    assert "make repro" in run(project, "make").stdout


TARGETS = (
    "repro", "smoke", "measure", "compare", "experiments", "metrics", "plots", "sweep NAME=rate",
)  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
def test_without_git_one_line_says_so(tmp_path: Path, stub: Path, target: str) -> None:
    project = export(tmp_path / "from zip")
    done = run(project, "make", "-o", "setup", *target.split(), stub=stub)
    assert done.returncode
    assert done.stderr.startswith(NEED)
    assert "fatal" not in done.stderr
    assert not done.stdout


@pytest.mark.parametrize("command", ["repro", "compare", "distribute", "sweep it prune.rate=0.2"])
def test_commands_without_git_say_so_in_one_line(tmp_path: Path, command: str) -> None:
    project = export(tmp_path / "from zip")
    done = run(project, sys.executable, "-m", "tools.app", *command.split())
    assert done.returncode == 1
    assert done.stderr == NEED
