"""Places where a checkout may lie: names that a shell must quote, part of a repository, worktree, submodule."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

Fill = Callable[[Path], None]
"""Writes a project's files into a new folder."""
Place = Callable[[Path, Fill], Path]
"""Puts a project there, below a new folder, in a repository of one commit; returns where it is."""
GIT = {
    "GIT_AUTHOR_NAME": "tests", "GIT_AUTHOR_EMAIL": "tests@localhost",
    "GIT_COMMITTER_NAME": "tests", "GIT_COMMITTER_EMAIL": "tests@localhost",
}  # fmt: skip


def git(folder: Path, *words: str) -> str:
    """Output of a git command in a folder."""
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *words],
        cwd=folder,
        env=os.environ | GIT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    return done.stdout


def commit(folder: Path) -> None:
    """Make a repository of a folder, with everything in one commit."""
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "start")


def clone(folder: Path, fill: Fill) -> Path:
    """A repository of its own."""
    folder.mkdir(parents=True)
    fill(folder)
    commit(folder)
    return folder


def subfolder(folder: Path, fill: Fill) -> Path:
    """A part of a larger repository."""
    project = folder / "paper" / "it's code"
    project.mkdir(parents=True)
    fill(project)
    (folder / "other.txt").touch()
    commit(folder)
    return project


def worktree(folder: Path, fill: Fill) -> Path:
    """A linked working tree."""
    git(clone(folder / "main", fill), "worktree", "add", "-q", "-b", "other", "../linked tree")
    return folder / "linked tree"


def submodule(folder: Path, fill: Fill) -> Path:
    """A repository inside another one."""
    clone(folder / "origin", fill)
    (folder / "whole").mkdir()
    git(folder / "whole", "init", "-q")
    git(folder / "whole", "submodule", "--quiet", "add", "../origin", "inner part")
    return folder / "whole" / "inner part"


def named(name: str) -> Place:
    """A repository in a folder of this name."""
    return lambda folder, fill: clone(folder / name, fill)


PLACES: dict[str, Place] = {
    "space": named("my runs"),
    "quotes": named('it\'s "mine"'),
    "brackets": named("a(b) [c] {d}"),
    "letters": named("für Ölçüm 数据"),
    "signs": named("a & b; c"),
    "subfolder": subfolder,
    "worktree": worktree,
    "submodule": submodule,
}
