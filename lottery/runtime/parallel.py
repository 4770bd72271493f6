"""Run independent jobs in parallel: as many processes as fit the cores, each with its own threads.

Small matrices scale badly over threads, independent trainings scale almost perfectly over processes. On a GPU
the jobs run one after another in this process. Results do not depend on the number of processes.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import (
    FIRST_EXCEPTION,
    Executor,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from itertools import chain
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from multiprocessing.queues import SimpleQueue
from typing import Protocol, TypeVar

import torch

from lottery.errors import UserError
from lottery.runtime.compute import worker_count
from lottery.runtime.parameters import ComputeParameters

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Name = TypeVar("Name", bound=str)


class Job(Protocol[R_co]):
    """A picklable function that reports its progress: steps done, steps in total."""

    def __call__(self, progress: Callable[[int, int], None], /) -> R_co: ...


Report = Callable[[str, int, int], None]
"""Called with the progress of a job: its name, steps done, steps in total."""


def run(
    jobs: Mapping[Name, Job[R]],
    compute: ComputeParameters,
    report: Report,
    preload: Sequence[str] = (),
) -> dict[Name, R]:
    """The results of all jobs by name, in the order of `jobs`; the first failure stops them all.

    This process runs jobs too and starts while the others are still loading. preload: modules that the jobs
    need, imported once in the process that all others are forked from.
    """
    helpers = min(worker_count(compute), len(jobs)) - 1
    torch.set_num_threads(compute.threads if len(jobs) > 1 else compute.alone)
    pending, results = iter(jobs.items()), dict[Name, R]()
    if helpers > 0:
        context = _forkserver(preload)
        _run_in_parallel(pending, results, helpers, context, compute.threads, report)
    else:
        _run_pending(pending, results, partial(_run_here, report))
    return {name: results[name] for name in jobs}


Pending = Iterator[tuple[Name, Job[R]]]
"""Jobs that have not started; several threads take from it."""
Messages = SimpleQueue[tuple[str, int, int] | None]
"""Progress of jobs on its way from the helper processes; None ends it."""


def _forkserver(preload: Sequence[str]) -> ForkServerContext:
    """The context whose processes are forked from one that has imported `preload`; it is started here."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *preload])
    # Ctrl-C is for this process alone, which then ends the others.
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    forkserver.ensure_running()
    signal.signal(signal.SIGINT, handler)
    return context


def _run_in_parallel(
    pending: Pending[Name, R],
    results: dict[Name, R],
    helpers: int,
    context: ForkServerContext,
    threads: int,
    report: Report,
) -> None:
    """Run jobs here and in `helpers` more processes, each of which is fed by a thread of this process.

    The first job, the most expensive one, runs here, where nothing has to be imported first.
    """
    own = chain([next(pending)], pending)
    messages: Messages = context.SimpleQueue()
    threading.Thread(target=_forward, args=(messages, report), daemon=True).start()
    with (
        ProcessPoolExecutor(helpers, context, _initialise, (threads, messages)) as pool,
        ThreadPoolExecutor(helpers) as feeders,
    ):
        try:
            run_there = partial(_run_in_pool, pool)
            fed = [
                feeders.submit(_run_pending, pending, results, run_there) for _ in range(helpers)
            ]
            _run_pending(own, results, partial(_run_here, report))
            for future in wait(fed, return_when=FIRST_EXCEPTION).done:
                future.result()
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


def _run_pending(
    pending: Pending[Name, R], results: dict[Name, R], run_job: Callable[[Name, Job[R]], R]
) -> None:
    """Run jobs until none is pending; a failure removes all that are."""
    try:
        for name, job in pending:
            results[name] = run_job(name, job)
    finally:
        deque(pending, maxlen=0)


def _run_here(report: Report, name: Name, job: Job[R]) -> R:
    return job(partial(report, name))


def _run_in_pool(pool: Executor, name: Name, job: Job[R]) -> R:
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
