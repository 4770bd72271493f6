"""The project as workers receive it: its last commit as a git bundle, and DVC's settings of the remote."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from configobj import ConfigObj

from cluster.git import commit, git
from lottery.errors import UserError

# Where a remote is. Secrets stay on the head; workers have their own.
REMOTE_KEYS = ("url", "endpointurl", "region", "profile", "use_ssl", "ssl_verify", "listobjects")


def revision(folder: Path, ignored: Sequence[str]) -> str:
    """The last commit. Raises UserError if tracked files, other than the ignored ones, differ from it."""
    last = commit(folder)
    excluded = [f":(exclude){path}" for path in ignored]
    status = git(folder, "status", "--porcelain", "--untracked-files=no", "--", ".", *excluded)
    if names := [entry[3:] for entry in status.decode().splitlines()]:
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        raise UserError(
            f"workers run the last commit, and {shown} changed since; commit or undo that first"
        )
    return last


def bundle(folder: Path) -> bytes:
    """The last commit and its history, as a file that git can fetch from."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "project.bundle"
        git(folder, "bundle", "create", "--quiet", str(file), "HEAD")
        return file.read_bytes()


def settings(config: Mapping[str, Any]) -> str:
    """DVC's configuration for a clone: name and place of the remote."""
    name = config["core"]["remote"]
    remote = config["remote"][name]
    public = {key: str(value) for key, value in remote.items() if key in REMOTE_KEYS}
    text = ConfigObj({"core": {"remote": name}, f'remote "{name}"': public}, list_values=False)
    return "\n".join([*text.write(), ""])
