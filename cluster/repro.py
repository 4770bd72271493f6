"""Run the pipeline on this machine, as many jobs side by side as fit its cores: `lottery repro`.

`dvc repro` runs one job after another, and a job that trains one model keeps one core busy. Here every job is a
`dvc repro --single-item` of its own, so results, cache and dvc.lock are those of `dvc repro`. Jobs that are up to date
start none. Cores for which no job waits are lent to a job that runs.
"""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import FrameType
from typing import NoReturn

import dvc.cli
import psutil
from dvc.repo import Repo

from cluster import pipeline
from cluster.dag import Graph
from cluster.git import require
from cluster.mending import mend
from lottery.errors import UserError
from lottery.params import section
from lottery.runtime.compute import worker_count
from lottery.runtime.memory import tune_allocator
from lottery.runtime.parameters import ComputeParameters
from lottery.wording import listed
from stages import STOPPED
from stages.shell import cli, eta, shutdown

Cores = frozenset[int]
FORK = get_context("fork")
"""Jobs are forks of this process, so that DVC is imported once."""


def main() -> None:
    """Run the pipeline on this machine, as many jobs side by side as fit its cores."""
    require(root := Path.cwd())
    mend(root)
    signal.signal(signal.SIGTERM, _stop)
    tune_allocator()
    bin_folder, path = Path(sys.executable).parent, os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = f"{bin_folder}{os.pathsep}{path}"  # stages are run by `python`
    os.environ[shutdown.RUNNER] = str(os.getpid())
    count = worker_count(section(ComputeParameters, cli.parameters()))
    if count == 1 or not hasattr(os, "sched_setaffinity"):
        sys.exit(dvc.cli.main(["repro"]))
    with Repo(_wait_for_lock=True) as repo:
        jobs = pipeline.graph(repo)
        jobs = jobs.without(pipeline.unchanged(repo, jobs))
        order = [stage.addressing for stage in repo.index.stages]
    if not jobs:
        print("Data and pipelines are up to date.")
        return
    cores, os.environ[eta.SIDES] = sorted(os.sched_getaffinity(0)), str(count)
    sides = [Cores(cores[side::count]) for side in range(count)]
    if failed := SideBySide(jobs, order, sides).run():
        raise UserError(f"{listed(failed)} failed, see above; jobs that do not need it are done")


@dataclass
class Running:
    """A job that runs: its process, its own cores, and those that it may use, with cores lent until a job waits."""

    name: str
    process: ForkProcess
    cores: Cores
    usable: Cores | None = None

    def bind(self, usable: Cores) -> None:
        """Bind all its processes and threads to these cores."""
        if usable == self.usable:
            return
        self.usable = usable
        with suppress(psutil.Error):
            root = psutil.Process(self.process.pid)
            for process in (root, *root.children(recursive=True)):
                for thread in process.threads():
                    with suppress(ProcessLookupError):
                        os.sched_setaffinity(thread.id, usable)


class SideBySide:
    """Jobs on disjoint sets of cores, one for each set."""

    def __init__(self, jobs: Graph, order: Sequence[str], cores: Sequence[Cores]) -> None:
        self._free = [*cores]
        self._sorter, self._chains = jobs.sorter(), jobs.longest_chains(dict.fromkeys(jobs, 1.0))
        self._order = {name: number for number, name in enumerate(order)}
        self._running = list[Running]()

    def run(self) -> list[str]:
        """Run every job after those it needs; returns those that failed, whose dependents did not run."""
        waiting, failed = list[str](), list[str]()
        while self._sorter.is_active():
            waiting += self._sorter.get_ready()
            self._start(waiting)
            self._lend()
            if not self._running:
                break
            for name, code in self._ended():
                if code:
                    failed.append(name)
                else:
                    self._sorter.done(name)
        return failed

    def _start(self, waiting: list[str]) -> None:
        """Start jobs on free cores, those with the longest chains behind them first, then in the pipeline's order."""
        waiting.sort(key=lambda name: (-self._chains[name], self._order[name]))
        while waiting and self._free:
            process = FORK.Process(target=_reproduce, args=(name := waiting.pop(0),))
            process.start()
            self._running.append(Running(name, process, self._free.pop(0)))

    def _lend(self) -> None:
        """Bind every job to its cores, and the one that started last to those that are free, too."""
        for job in self._running[:-1]:
            job.bind(job.cores)
        for job in self._running[-1:]:
            job.bind(job.cores.union(*self._free))

    def _ended(self) -> Iterator[tuple[str, int]]:
        """Names and exit codes of the jobs that have ended, at least one."""
        wait([job.process.sentinel for job in self._running])
        for job in [job for job in self._running if job.process.exitcode is not None]:
            self._running.remove(job)
            self._free.append(job.cores)
            yield job.name, job.process.exitcode or 0


def _stop(signum: int, _frame: FrameType | None) -> NoReturn:
    """End at once: jobs and stages notice, and end too. If this ended in order, DVC would first wait for its stage."""
    os.write(sys.stderr.fileno(), f"{STOPPED}\n".encode())
    os._exit(128 + signum)


def _reproduce(name: str) -> None:
    """In a process of its own: run one job, and exit as DVC does; it ends with its parent, and its stage with it.

    Jobs take DVC's lock in turns while they look up and save outputs, which may take longer than DVC waits by itself.
    """
    if parent := parent_process():
        shutdown.end_with(parent.pid or 0)
    os.environ[shutdown.RUNNER] = str(os.getpid())
    sys.exit(dvc.cli.main(["--wait-for-lock", "repro", "--single-item", name]))
