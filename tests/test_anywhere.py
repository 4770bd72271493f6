"""Checkouts in places of all kinds: names that a shell must quote, a part of a larger repository, no git at all.

A stub stands for DVC, so nothing is computed.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.places import GIT, PLACES
from tests.project import ROOT, tracked

NEED = "error: DVC needs a git repository; clone the project, or: git init && git add -A && git commit -m start\n"


def run(folder: Path, *command: str, stub: Path | None = None) -> subprocess.CompletedProcess[str]:
    path = f"{stub}{os.pathsep}{os.environ['PATH']}" if stub else os.environ["PATH"]
    environment = os.environ | GIT | {"PATH": path, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def export(folder: Path) -> None:
    """Write the project's files, as a ZIP has them."""
    for path in tracked():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, folder / path)


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """A ZIP of the project, unpacked: a folder without git."""
    export(tmp_path / "from zip")
    return tmp_path / "from zip"


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
    project = PLACES[place](tmp_path / "at", export)
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
    project = PLACES[place](tmp_path / "at", export)
    done = run(project, "make", "profile", "NAME=smoke")
    assert not done.returncode, done.stderr
    assert (project / "params.yaml").read_bytes() == (ROOT / "profiles" / "smoke.yaml").read_bytes()
    assert "make repro" in run(project, "make").stdout


@pytest.mark.parametrize("place", PLACES)
def test_the_values_of_a_sweep_reach_it_as_they_were_written(tmp_path: Path, place: str) -> None:
    project = PLACES[place](tmp_path / "at", export)
    (tmp_path / "stub").mkdir()
    (said := tmp_path / "stub" / "lottery").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    said.chmod(0o755)
    grid = "GRID=grid.seeds=[11],[11,12] prune.rate=0.1,0.2"
    done = run(project, "make", "-o", "setup", "sweep", "NAME=mine", grid, stub=said.parent)
    assert done.stdout.splitlines()[-4:] == ["sweep", "mine", *grid[5:].split()], done.stderr


@pytest.mark.parametrize("place", PLACES)
def test_the_command_starts_wherever_its_environment_lies(tmp_path: Path, place: str) -> None:
    """pip's own start of a command names its python in a way that some signs break."""
    project = PLACES[place](tmp_path / "at", export)
    python = project / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\ntest "$2" = pip || exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    command = python.with_name("lottery")
    command.touch(mode=0o755)  # as pip leaves it
    done = run(project, "make", "-o", ".venv/ready", ".venv/installed")
    assert not done.returncode, done.stderr
    (tmp_path / "elsewhere").mkdir()
    done = run(tmp_path / "elsewhere", str(command), "bundle", "--help")
    assert "Usage: lottery bundle" in done.stdout, done.stderr


NEED_GIT = (
    "repro", "more", "smoke", "measure", "compare", "experiments", "metrics", "plots", "sweep", "test", "kills",
    "cluster", "image-test", "test-quick",
)  # fmt: skip
DO_NOT = {
    "help", "setup", "profile", "ticket", "verify", "bundle", "threads", "page-check", "lint", "check",
    "format", "lock", "fuzz", "audit", "clean", "image", "gpu-check", "bench",
}  # fmt: skip
"""Targets that work on files alone; `check` says it by `test`, `bench` by its program."""


def test_every_target_is_known_to_need_git_or_not() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)
    assert sorted(targets) == sorted({*NEED_GIT, *DO_NOT})


@pytest.mark.parametrize("target", NEED_GIT)
def test_without_git_one_line_says_so(unpacked: Path, stub: Path, target: str) -> None:
    made = ("setup", "image", "build/peers/ready")
    skipped = [word for name in made for word in ("-o", name)]
    done = run(unpacked, "make", *skipped, target, "NAME=rate", stub=stub)
    assert done.returncode
    assert done.stderr.startswith(NEED)
    assert "fatal" not in done.stderr
    assert not done.stdout


def test_without_git_nothing_is_installed(unpacked: Path) -> None:
    done = run(unpacked, "make", "repro")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(NEED)
    assert not (unpacked / ".venv").exists()


def test_what_is_made_of_files_alone_works_without_git(unpacked: Path) -> None:
    for words in ("help", "profile NAME=smoke", "clean"):
        done = run(unpacked, "make", "-o", "setup", *words.split())
        assert not done.returncode, done.stderr


@pytest.mark.parametrize(
    ("command", "message"),
    [
        *((words, NEED) for words in ("repro", "compare", "distribute", "sweep it prune.rate=0.2")),
        ("verify", "error: no finished run here: "),
        ("export sst2 out", "error: sst2 seed 11: "),
        ("measure", "error: "),
        ("bundle out.zip", "error: "),
        ("open nowhere.zip out", "error: nowhere.zip: "),
        ("import-masks nowhere", "error: nowhere: "),
    ],
)
def test_commands_without_git_or_run_say_so_in_one_line(
    unpacked: Path, command: str, message: str
) -> None:
    done = run(unpacked, sys.executable, "-m", "tools.app", *command.split())
    assert done.returncode == 1
    assert done.stderr.startswith(message)
    assert len(done.stderr.splitlines()) == 1


def test_more_needs_no_git(unpacked: Path) -> None:
    done = run(unpacked, sys.executable, "-m", "tools.app", "more")
    assert not done.returncode, done.stderr


def test_threads_without_a_finished_run_is_one_line(unpacked: Path) -> None:
    done = run(unpacked, sys.executable, "-m", "tests.programs.threads", "1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: scores/")
    assert len(done.stderr.splitlines()) == 1
