"""The project as it travels: its last commit as a bundle, and where its results go."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from configobj import ConfigObj

from lottery.errors import UserError

# What says where a remote is. Secrets stay where DVC found them: workers have their own.
CARRIED = ("url", "endpointurl", "region", "profile", "use_ssl", "ssl_verify", "listobjects")


def revision(folder: Path, ignored: Sequence[str]) -> str:
    """The commit that the workers will run; a UserError where the files under git differ from it."""
    apart = [f":(exclude){path}" for path in ignored]
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", ".", *apart)
    if names := [line[3:] for line in changed.decode().splitlines()]:
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        raise UserError(
            f"workers run the last commit, and {shown} changed since; commit or undo that first"
        )
    return _git(folder, "rev-parse", "HEAD").decode().strip()


def bundle(folder: Path) -> bytes:
    """The last commit and its history, as one file that git fetches from."""
    with tempfile.TemporaryDirectory() as apart:
        file = Path(apart) / "project.bundle"
        _git(folder, "bundle", "create", "--quiet", str(file), "HEAD")
        return file.read_bytes()


def settings(config: Mapping[str, Any]) -> str:
    """DVC's settings for a clone: which remote, and where it is."""
    name = config["core"]["remote"]
    known = {key: str(value) for key, value in config["remote"][name].items() if key in CARRIED}
    text = ConfigObj({"core": {"remote": name}, f'remote "{name}"': known}, list_values=False)
    return "\n".join([*text.write(), ""])


@contextmanager
def only_head(folder: Path) -> Iterator[None]:
    """One head at a time in a project; a UserError for the second."""
    apart = folder / ".dvc" / "tmp"
    apart.mkdir(exist_ok=True)  # a fresh clone has none
    lock = os.open(apart / "distribute.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise UserError(
            "another cluster.distribute is at work in this project; wait for it or stop it"
        ) from None
    finally:
        os.close(lock)


def _git(folder: Path, *arguments: str) -> bytes:
    git = shutil.which("git")
    if git is None:
        raise UserError("git is not on PATH; workers get the project from it")
    done = subprocess.run([git, "-C", str(folder), *arguments], capture_output=True, check=False)
    if done.returncode:
        raise UserError(f"git {arguments[0]}: {' '.join(done.stderr.decode().split())}")
    return done.stdout
