"""The job a Dask worker runs: one pipeline stage in its own git clone, killed together with the worker.

Only this file is sent to the workers, so it imports nothing but Python and Dask. The clone runs the project's code.
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

TOPIC = "jobs"
CORES = "LOTTERY_CORES"
"""Environment variable with the cores that a worker's jobs may use, as `0,1`; unset means all."""


@dataclass(frozen=True)
class Job:
    """A job's name, the jobs whose outputs it reads, the project as a git bundle, and files to add to the clone.

    folder: where the project is in its repository.
    """

    name: str
    needs: tuple[str, ...]
    revision: str
    bundle: bytes
    files: Mapping[str, str]
    folder: str = ""


@dataclass(frozen=True)
class Outcome:
    """Result of a job: its entry for dvc.lock (None if it failed), its log, seconds of each step, bytes moved.

    times: the lines that its stage adds to the log of all stages.
    """

    job: str
    host: str
    log: str
    entry: Mapping[str, Any] | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    pulled: int = 0
    pushed: int = 0
    times: str = ""


def run(job: Job) -> Outcome:
    """Run one job in a clone below this worker's local directory; a failure is an Outcome without an entry."""
    worker = get_worker()
    host = socket.gethostname()
    worker.log_event(TOPIC, {"job": job.name, "where": f"{host} ({worker.name})"})
    with _free_clone(Path(worker.local_directory) / "clones") as (clone, lock):
        project = _update(clone, job)
        logs = project / "logs"
        code = _run_in_clone(job, project, logs / "job.log", lock)
        log = (logs / "job.log").read_text(encoding="utf-8", errors="replace")
        if code:
            return Outcome(job.name, host, log)
        result = json.loads((logs / "job.json").read_text(encoding="utf-8"))
        lines = logs / "stages.jsonl"  # there is none if the run cache had the outputs
        times = lines.read_text(encoding="utf-8") if lines.exists() else ""
        return Outcome(job.name, host, log, **result, times=times)


@contextmanager
def _free_clone(folder: Path) -> Iterator[tuple[Path, int]]:
    """Path of a clone that no other thread uses, and the descriptor of the lock on it."""
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


def _update(clone: Path, job: Job) -> Path:
    """Check out the job's revision, remove all but DVC's cache, add the job's files; returns the project's folder."""
    if not (clone / ".git").exists():
        clone.mkdir(parents=True, exist_ok=True)
        _git(clone, "init", "--quiet")
    bundle = clone / ".git" / "job.bundle"
    bundle.write_bytes(job.bundle)
    _git(clone, "fetch", "--quiet", str(bundle), "HEAD")
    _git(clone, "checkout", "--quiet", "--force", "--detach", job.revision)
    _git(clone, "clean", "-ffdxq", "--exclude", "**/.dvc/cache", "--exclude", "**/.dvc/tmp")
    project = clone / job.folder
    for name, text in job.files.items():
        (project / name).write_text(text, encoding="utf-8")
    (project / "logs").mkdir()
    return project


def _git(folder: Path, *arguments: str) -> None:
    git = shutil.which("git")
    if git is None:
        raise RuntimeError(
            f"no git on {socket.gethostname()}: workers need git and the project's environment"
        )
    subprocess.run([git, "-C", str(folder), *arguments], check=True, capture_output=True)


def _run_in_clone(job: Job, project: Path, log: Path, lock: int) -> int:
    """Run the job in a process of its own and return its exit code.

    The process watches the read end of a pipe whose only write end is here: however this worker dies, the pipe closes
    and the job ends. It inherits the lock, so that no other job enters the clone before. Dask's environment for its
    workers is removed: with its malloc settings, which return memory at once, training takes 1.5 times as long.
    """
    lifeline, held = os.pipe()
    command = [sys.executable, "-m", "cluster.run_job", job.name, *job.needs]
    bin_folder = Path(sys.executable).parent
    of_dask = dask.config.get("distributed.nanny.pre-spawn-environ")
    environment = {name: value for name, value in os.environ.items() if name not in of_dask} | {
        "PATH": f"{bin_folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": "",
        "PYTHONUNBUFFERED": "1",
    }
    try:
        with log.open("wb") as out, subprocess.Popen(
            [*command, "--lifeline", str(lifeline)], cwd=project, env=environment, stdin=subprocess.DEVNULL,
            stdout=out, stderr=subprocess.STDOUT, start_new_session=True, pass_fds=(lifeline, lock),
        ) as process:  # fmt: skip
            if cores := os.environ.get(CORES):
                os.sched_setaffinity(process.pid, map(int, cores.split(",")))
            return process.wait()
    finally:
        os.close(lifeline)
        os.close(held)
