"""What a worker is sent to do: one cell, in a clone of its own, under a leash.

This file alone travels to the workers, so it knows only Python and Dask. The clone runs the project's own code.
"""

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import dask.config
from distributed import get_worker

TOPIC = "cells"
CORES = "LOTTERY_CORES"
"""The cores that a worker's cells may use, as `0,1`; unset are all of them."""


@dataclass(frozen=True)
class Job:
    """A cell, the cells whose outputs it reads, the project as a git bundle, and files to be written into it."""

    cell: str
    needs: tuple[str, ...]
    revision: str
    bundle: bytes
    files: Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    """What came of a cell: its entry for dvc.lock, its log, the seconds of each step and the bytes that moved."""

    cell: str
    host: str
    log: str
    entry: Mapping[str, Any] | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    pulled: int = 0
    pushed: int = 0
    stages: str = ""


def run(errand: Job) -> Outcome:
    """Run one cell where this worker keeps its files; a cell that fails is an Outcome without an entry."""
    worker = get_worker()
    host = socket.gethostname()
    worker.log_event(TOPIC, {"cell": errand.cell, "where": f"{host} ({worker.name})"})
    with _slot(Path(worker.local_directory) / "clones") as (clone, lock):
        _renew(clone, errand)
        log = clone / "logs" / "cell.log"
        code = _leashed(errand, clone, log, lock)
        said = log.read_text(encoding="utf-8", errors="replace")
        if code:
            return Outcome(errand.cell, host, said)
        told = json.loads((clone / "logs" / "cell.json").read_text(encoding="utf-8"))
        stages = clone / "logs" / "stages.jsonl"
        ran = stages.read_text(encoding="utf-8") if stages.exists() else ""
        return Outcome(errand.cell, host, said, **told, stages=ran)


@contextmanager
def _slot(folder: Path) -> Iterator[tuple[Path, int]]:
    """A clone's place that nobody works in, and the lock on it: a worker with several threads has several."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in count():
        lock = os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        try:
            yield folder / str(number), lock
        finally:
            os.close(lock)
        return


def _renew(clone: Path, errand: Job) -> None:
    """The clone at the errand's revision, with nothing in it but DVC's cache and the errand's files."""
    if not (clone / ".git").exists():
        clone.mkdir(parents=True, exist_ok=True)
        _git(clone, "init", "--quiet")
    bundle = clone / ".git" / "errand.bundle"
    bundle.write_bytes(errand.bundle)
    _git(clone, "fetch", "--quiet", str(bundle), "HEAD")
    _git(clone, "checkout", "--quiet", "--force", "--detach", errand.revision)
    _git(clone, "clean", "-ffdxq", "--exclude", "/.dvc/cache", "--exclude", "/.dvc/tmp")
    for name, text in errand.files.items():
        (clone / name).write_text(text, encoding="utf-8")
    (clone / "logs").mkdir()


def _git(folder: Path, *arguments: str) -> None:
    git = shutil.which("git")
    if git is None:
        raise RuntimeError(
            f"no git on {socket.gethostname()}: workers need git and the project's environment"
        )
    subprocess.run([git, "-C", str(folder), *arguments], check=True, capture_output=True)


def _leashed(errand: Job, clone: Path, log: Path, lock: int) -> int:
    """The exit code of the cell. However this process ends, the end of its pipe takes the cell with it.

    What Dask sets for its workers is not for the cell: memory handed back at once, as they do it, makes training take
    one and a half times as long.
    """
    leash, held = os.pipe()
    command = [
        sys.executable,
        "-m",
        "cluster.run_cell",
        errand.cell,
        *errand.needs,
        "--leash",
        str(leash),
    ]
    here = Path(sys.executable).parent
    dasks = dask.config.get("distributed.nanny.pre-spawn-environ")
    environment = {name: value for name, value in os.environ.items() if name not in dasks} | {
        "PATH": f"{here}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": "",
        "PYTHONUNBUFFERED": "1",
    }
    try:
        with log.open("wb") as out, subprocess.Popen(
            command, cwd=clone, env=environment, stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT, start_new_session=True, pass_fds=(leash, lock),
        ) as child:  # fmt: skip
            if cores := os.environ.get(CORES):
                os.sched_setaffinity(child.pid, map(int, cores.split(",")))
            return child.wait()
    finally:
        os.close(leash)
        os.close(held)
