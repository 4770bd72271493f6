"""Git, run without a shell."""

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
        [program, "-C", str(folder), *arguments], input=sent, capture_output=True, check=False
    )
    if done.returncode:
        raise UserError(f"git {arguments[0]}: {' '.join(done.stderr.decode().split())}")
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


def line(folder: Path, *arguments: str) -> str:
    """Output of a git command that prints one line."""
    return git(folder, *arguments).decode().removesuffix("\n")
