"""Git, run without a shell."""

import os
import shutil
import subprocess
from pathlib import Path

from lottery.errors import UserError


def git(folder: Path, *arguments: str, sent: bytes | None = None) -> bytes:
    """Output of a git command in `folder`, which reads `sent`. Raises UserError if it fails or there is no git."""
    program = shutil.which("git")
    if program is None:
        raise UserError("git is not on PATH; install it, copies of the project are made with it")
    done = subprocess.run(
        [program, "-C", str(folder), *arguments],
        input=sent,
        capture_output=True,
        check=False,
        env=os.environ | {"LC_ALL": "C"},  # `require` reads its message
    )
    if done.returncode:
        reason = " ".join(done.stderr.decode(errors="replace").split())
        raise UserError(f"git {arguments[0]}: {reason}")
    return done.stdout


def require(folder: Path) -> None:
    """Raise UserError unless a git repository holds the folder."""
    try:
        git(folder, "rev-parse", "--git-dir")
    except UserError as error:
        if "not a git repository" not in str(error):
            raise
        raise UserError(
            "DVC needs a git repository; clone the project, or: git init && git add -A && git commit -m start"
        ) from None


def commit(folder: Path) -> str:
    """The last commit. Raises UserError if there is none, or if it does not have the project in the folder."""
    require(folder)
    advice = "make one: git add -A && git commit -m start"
    try:
        revision = line(folder, "rev-parse", "--quiet", "--verify", "HEAD^{commit}")
    except UserError:
        raise UserError(f"copies of the project are made from a commit; {advice}") from None
    if not git(folder, "ls-tree", revision, "--", "dvc.yaml"):
        raise UserError(f"the last commit of this repository has no dvc.yaml here; {advice}")
    return revision


def line(folder: Path, *arguments: str) -> str:
    """Output of a git command that prints one line."""
    return git(folder, *arguments).decode().removesuffix("\n")
