"""Independent jobs of a cell side by side: as many processes as fit the cores, each with its own threads.

Small matrices scale badly over threads, independent trainings scale nearly perfectly over processes. On a GPU
the jobs run one after another in this process. Results do not depend on which way it went.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
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
    """Work that can travel to another process; it tells how far it is: steps done, steps in all."""

    def __call__(self, progress: Callable[[int, int], None], /) -> R_co: ...


Report = Callable[[str, int, int], None]
"""Told which job is how far: its name, steps done, steps in all."""


def run(jobs: Mapping[Name, Job[R]], compute: ComputeParameters, report: Report) -> dict[Name, R]:
    """The results of all jobs by name, in the order of `jobs`; the first failure ends them all.

    This process does its share, and begins while the others still load.
    """
    others = min(worker_count(compute), len(jobs)) - 1
    torch.set_num_threads(compute.threads if len(jobs) > 1 else compute.alone)
    waiting, found = iter(jobs.items()), dict[Name, R]()
    if others > 0:
        _share(waiting, found, others, compute.threads, report)
    else:
        _take(waiting, found, partial(_here, report))
    return {name: found[name] for name in jobs}


Waiting = Iterator[tuple[Name, Job[R]]]
"""Jobs that nobody has taken; threads may take from it side by side."""


def _share(
    waiting: Waiting[Name, R], found: dict[Name, R], others: int, threads: int, report: Report
) -> None:
    """Work here and in `others` more processes, each of which has a thread here that hands it jobs.

    The first job, the costliest, is done here, where nothing needs to load.
    """
    mine = chain([next(waiting)], waiting)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lottery.tickets.scoring", "lottery.tickets.methods"])
    _serve()
    news = context.SimpleQueue()
    threading.Thread(target=_relay, args=(news, report), daemon=True).start()
    with (
        ProcessPoolExecutor(others, context, _settle, (threads, news)) as pool,
        ThreadPoolExecutor(others) as hands,
    ):
        try:
            away = partial(_elsewhere, pool)
            helped = [hands.submit(_take, waiting, found, away) for _ in range(others)]
            _take(mine, found, partial(_here, report))
            for each in wait(helped, return_when=FIRST_EXCEPTION).done:
                each.result()
        except BaseException as error:
            for process in multiprocessing.active_children():
                process.terminate()  # or the pool would wait for what they are at
            if not isinstance(error, BrokenProcessPool):
                raise
            raise UserError(
                "a process of this stage was killed, perhaps for want of memory; a higher"
                " compute.threads makes fewer processes"
            ) from None
    news.put(None)


def _take(waiting: Waiting[Name, R], found: dict[Name, R], do: Callable[[Name, Job[R]], R]) -> None:
    """Take jobs as long as there are any; a failure leaves none for anybody."""
    try:
        for name, job in waiting:
            found[name] = do(name, job)
    finally:
        deque(waiting, maxlen=0)


def _here(report: Report, name: Name, job: Job[R]) -> R:
    return job(partial(report, name))


def _elsewhere(pool: Executor, name: Name, job: Job[R]) -> R:
    return pool.submit(job, partial(_tell, name)).result()


def _serve() -> None:
    """Start the process that the others come from. Ctrl-C is for this one alone, which ends them all."""
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
    forkserver.ensure_running()
    signal.signal(signal.SIGINT, heard)


_news: SimpleQueue[tuple[str, int, int] | None]
"""In a process of the pool, the way back to the one that reports."""


def _settle(threads: int, news: SimpleQueue[tuple[str, int, int] | None]) -> None:
    """Prepare a new process: its threads, its news, its end when nobody waits for its results any more."""
    global _news  # noqa: PLW0603
    _news = news
    torch.set_num_threads(threads)
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def _tell(name: str, done: int, total: int) -> None:
    _news.put((name, done, total))


def _relay(news: SimpleQueue[tuple[str, int, int] | None], report: Report) -> None:
    while (at := news.get()) is not None:
        with suppress(OSError):  # whoever reads it may be gone
            report(*at)
