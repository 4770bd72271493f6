"""Copies of the project in which the pipeline runs: clones of its repository with the changes of tracked files.

The project itself is only read, so that a run that is killed leaves it as it was.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec
from dvc.config_schema import RelPath
from dvc.repo import Repo

from cluster.git import commit, git, line
from lottery.errors import UserError

PLAIN = ("--binary", "--no-color", "--no-ext-diff", "--no-textconv", "--no-relative", "--src-prefix=a/",
    "--dst-prefix=b/", "--ignore-submodules=all")  # fmt: skip
"""Options of `git diff` for a patch that the user's settings do not change."""
IDENTITY = {"user.name": "lottery", "user.email": "lottery@localhost"}
"""Author of an experiment where git knows none."""


class Original(msgspec.Struct, frozen=True):
    """A project at one moment: its folder, the root of its repository, the last commit, a patch of later changes."""

    folder: Path
    repository: Path
    revision: str
    changes: bytes


def original(project: Path) -> Original:
    """The project as it is now. Raises UserError if no commit has it."""
    revision = commit(project)
    top = Path(line(project, "rev-parse", "--show-toplevel"))
    return Original(project, top, revision, git(top, "diff", *PLAIN, revision))


def make(source: Original, folder: Path) -> Path:
    """Copy a project's repository into `folder`, which is replaced; returns the project in the copy, with its cache."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    git(source.repository, "clone", "--quiet", "--no-checkout", str(source.repository), str(folder))
    git(folder, "checkout", "--quiet", "--detach", source.revision)
    if source.changes:
        git(folder, "apply", "--index", "--whitespace=nowarn", "-", sent=source.changes)
    copy = folder / source.folder.resolve().relative_to(source.repository.resolve())
    _configure(source.folder, copy)
    return copy


def stage(copy: Path, outputs: Iterable[str]) -> None:
    """Add the changes of all tracked files, and the outputs, to the index of a copy.

    Every file is read. DVC writes the index by a library that makes git take a file for unchanged if it has changed in
    the second of its checkout and is as long as before.
    """
    git(copy, "read-tree", line(copy, "write-tree"))  # the same index, without times
    git(copy, "add", "--update", ":/")
    git(copy, "add", "--force", "--", *outputs)


def _configure(project: Path, copy: Path) -> None:
    """Give a copy the project's settings that git does not carry: DVC's local ones, the cache, the author."""
    local = Path(".dvc", "config.local")
    if (project / local).exists():
        shutil.copyfile(project / local, copy / local)
    with Repo(os.fspath(project)) as repo:
        cache = repo.cache.local_cache_dir
    with Repo(os.fspath(copy)) as repo, repo.config.edit("local") as settings:
        # Relative, because DVC cannot write a path that is not ASCII.
        settings["cache"]["dir"] = RelPath(cache)
    for key, default in IDENTITY.items():
        try:
            value = line(project, "config", key)
        except UserError:
            value = default
        git(copy, "config", key, value)
