"""A lock on the project, for commands of which one runs at a time."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lottery.errors import UserError


@contextmanager
def only_one(folder: Path, command: str, patience: float = 0) -> Iterator[int]:
    """Lock the project for one `lottery` command of this name; processes that get the descriptor hold it, too.

    Raises UserError if another has it for more than `patience` seconds, or if the folder is no project of DVC.
    """
    if not (folder / ".dvc").is_dir():
        raise UserError(f"{folder}: no .dvc here; run `lottery {command}` in the project's folder")
    scratch = folder / ".dvc" / "tmp"
    scratch.mkdir(exist_ok=True)  # a fresh clone has none
    lock = os.open(scratch / f"{command}.lock", os.O_RDWR | os.O_CREAT)
    try:
        _take(lock, command, time.monotonic() + patience)
        yield lock
    finally:
        os.close(lock)


def _take(lock: int, command: str, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise UserError(
                    f"another `lottery {command}` is running in this project; wait for it or stop it"
                ) from None
        time.sleep(0.1)
