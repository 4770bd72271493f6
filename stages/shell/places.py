"""Files and folders that parameters name, for a stage that runs in the project or in a copy of it."""

import os
from pathlib import Path

from lottery.errors import UserError


def find(name: str) -> Path:
    """The place that a parameter names: a relative path is the project's, `~` the user's home.

    Experiments in temporary folders, queues and sweeps run in a copy of the project, to which git brings tracked files
    only. DVC says in DVC_ROOT of which project. What the copy has belongs to its experiment and is read there; what it
    lacks is read in the project. Raises UserError if it has a part of a folder.
    """
    path = Path(name).expanduser()
    origin = Path(os.environ.get("DVC_ROOT", "")) / path
    if not origin.exists() or (path.exists() and path.samefile(origin)):
        return path
    if not path.exists():
        return origin
    if lacking := sorted(_files(origin) - _files(path)):
        raise UserError(
            f"{name}: this copy of the project lacks {lacking[0]}, which git does not track there; add all files of"
            " the folder to git or none, or give its absolute path"
        )
    return path


def _files(folder: Path) -> set[str]:
    """The files below a folder by their names there, without hidden ones."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {
        file.as_posix() for file in files if not any(part.startswith(".") for part in file.parts)
    }
