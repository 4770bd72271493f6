"""Run independent jobs in parallel: as many processes as fit the cores, each with its own threads.

Small matrices scale badly over threads, independent trainings scale almost perfectly over processes. On a GPU
the jobs run one after another in this process. Results do not depend on the number of processes.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import (
    FIRST_EXCEPTION,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from multiprocessing import forkserver, resource_tracker
from multiprocessing.queues import SimpleQueue
from typing import Protocol, TypeVar

import torch

from lottery.errors import UserError
from lottery.runtime.compute import worker_count
from lottery.runtime.parameters import ComputeParameters

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Name = TypeVar("Name", bound=str)
INTERVAL = 1.0
"""Seconds after which a run of jobs looks again at the number of its cores."""


class Job(Protocol[R_co]):
    """A picklable function that reports its progress: steps done, steps in total."""

    def __call__(self, progress: Callable[[int, int], None], /) -> R_co: ...


Report = Callable[[str, int, int], None]
"""Called with the progress of a job: its name, steps done, steps in total."""
Pending = deque[tuple[Name, Job[R]]]
"""Jobs that have not started; several threads take from it."""
Messages = SimpleQueue[tuple[str, int, int] | None]
"""Progress of jobs on its way from the helper processes; None ends it."""


def run(
    jobs: Mapping[Name, Job[R]],
    compute: ComputeParameters,
    report: Report,
    preload: Sequence[str] = (),
) -> dict[Name, R]:
    """The results of all jobs by name, in the order of `jobs`.

    After a failure no other job starts. It is raised as soon as the job of this process has ended, and ends the others.
    This process runs jobs too and starts while the others are still loading. Others start when there are cores for
    them, also those that become free later. preload: modules that the jobs need, imported once in the process that
    all others are forked from.
    """
    torch.set_num_threads(compute.threads if len(jobs) > 1 else compute.alone)
    pending, results = Pending[Name, R](jobs.items()), dict[Name, R]()
    if len(jobs) > 1:
        _run_in_parallel(pending, results, compute, report, preload)
    else:
        _run_pending(pending, results, partial(_run_here, report))
    return {name: results[name] for name in jobs}


def _run_in_parallel(
    pending: Pending[Name, R],
    results: dict[Name, R],
    compute: ComputeParameters,
    report: Report,
    preload: Sequence[str],
) -> None:
    """Run jobs here and in as many more processes as fit, each of which is fed by a thread of this process.

    The first job, the most expensive one, runs here, where nothing has to be imported first.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *preload])
    messages: Messages = context.SimpleQueue()
    threading.Thread(target=_forward, args=(messages, report), daemon=True).start()
    first, most = Pending[Name, R]([pending.popleft()]), len(pending)
    with (
        ProcessPoolExecutor(most, context, _initialise, (compute.threads, messages)) as pool,
        ThreadPoolExecutor(most + 1) as feeders,
    ):
        run_here, run_there = partial(_run_here, report), partial(_run_in_pool, pool)
        feed = partial(feeders.submit, _run_pending, pending, results, run_there)
        helpers, nothing_pending = _Helpers(pending, compute, feed), threading.Event()
        try:
            helpers.start()
            watcher = feeders.submit(helpers.watch, nothing_pending)
            try:
                _run_pending(first, results, run_here)
                _run_pending(pending, results, run_here)
            finally:
                pending.clear()
                nothing_pending.set()
            watcher.result()  # before `join`: it may have started a helper until now
            helpers.join()
        except BaseException as error:
            for process in multiprocessing.active_children():
                process.terminate()  # or leaving the pool would wait for its running jobs
            if not isinstance(error, BrokenProcessPool):
                raise
            raise UserError(
                "a process of this stage was killed, perhaps because memory ran out; a higher"
                " compute.threads starts fewer processes"
            ) from None
    messages.put(None)


class _Helpers:
    """Helper processes: as many as there are cores for, now or later, until they have run all that is pending."""

    def __init__(
        self,
        pending: Pending[Name, R],
        compute: ComputeParameters,
        feed: Callable[[], Future[None]],
    ) -> None:
        self._pending, self._compute, self._feed = pending, compute, feed
        self._fed: list[Future[None]] = []

    def start(self) -> None:
        """Start helpers for the cores that there are now."""
        wanted = min(worker_count(self._compute) - 1, len(self._fed) + len(self._pending))
        self._fed += [self._feed() for _ in range(len(self._fed), wanted)]

    def watch(self, nothing_pending: threading.Event) -> None:
        """Start helpers for cores that become free."""
        while not nothing_pending.wait(INTERVAL):
            self.start()

    def join(self) -> None:
        """Wait until all have ended. Raises what one of them has raised."""
        for future in wait(self._fed, return_when=FIRST_EXCEPTION).done:
            future.result()


def _start_forkserver() -> None:
    """Start the process that helpers are forked from, if it does not run yet.

    Ctrl-C is for this process alone, which then ends the others.
    """
    resource_tracker.ensure_running()  # it unblocks signals; the server would start it
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    forkserver.ensure_running()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _run_pending(
    pending: Pending[Name, R], results: dict[Name, R], run_job: Callable[[Name, Job[R]], R]
) -> None:
    """Run jobs until none is pending; a failure removes all that are."""
    try:
        while (job := _next(pending)) is not None:
            results[job[0]] = run_job(*job)
    finally:
        pending.clear()


def _next(pending: Pending[Name, R]) -> tuple[Name, Job[R]] | None:
    try:
        return pending.popleft()
    except IndexError:  # another thread took the last one
        return None


def _run_here(report: Report, name: Name, job: Job[R]) -> R:
    return job(partial(report, name))


def _run_in_pool(pool: Executor, name: Name, job: Job[R]) -> R:
    _start_forkserver()
    return pool.submit(job, partial(_send, name)).result()


def _forward(messages: Messages, report: Report) -> None:
    """Report the progress that helper processes send."""
    while (message := messages.get()) is not None:
        with suppress(OSError):  # the reader of our output may be gone
            report(*message)


_messages: Messages
"""In a helper process: its way to the process that reports."""


def _initialise(threads: int, messages: Messages) -> None:
    """Prepare a helper process: number of threads, progress messages, end with its parent."""
    global _messages  # noqa: PLW0603
    _messages = messages
    torch.set_num_threads(threads)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def _send(name: str, done: int, total: int) -> None:
    _messages.put((name, done, total))
