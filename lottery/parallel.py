"""Independent jobs of a cell side by side: as many processes as fit the cores, each with its own threads.

Small matrices scale badly over threads, independent trainings scale nearly perfectly over processes. On a GPU
the jobs run one after another in this process. Results do not depend on which way it went.
"""

import multiprocessing
import os
import queue
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from functools import partial
from typing import Annotated, Any, Literal, Protocol, TypeVar

import torch
from msgspec import Meta

from lottery.faults import Fault
from lottery.params import Section

R = TypeVar("R", covariant=True)
Name = TypeVar("Name", bound=str)


Threads = Annotated[int, Meta(ge=1, le=256)]


class Compute(Section, frozen=True):
    """threads: of each process where several jobs run side by side; alone: of a job that runs alone. The
    number changes the last bits of a result, the number of processes does not. device: `auto` takes a GPU if
    one is there."""

    threads: Threads
    alone: Threads
    device: Literal["auto", "cpu", "cuda"]

    @property
    def chosen(self) -> torch.device:
        """The device; a Fault where the GPU that was asked for is missing."""
        if self.device == "cuda" and not torch.cuda.is_available():
            raise Fault("parameters: compute.device = 'cuda': torch sees no GPU; use auto or cpu")
        gpu = self.device != "cpu" and torch.cuda.is_available()
        return torch.device("cuda" if gpu else "cpu")

    @property
    def workers(self) -> int:
        """How many processes fit: one on a GPU, else the cores this process may use over `threads`."""
        if self.chosen.type == "cuda":
            return 1
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return max(1, (cores or 1) // self.threads)


class Job(Protocol[R]):
    """Work that can travel to another process; it tells how far it is: steps done, steps in all."""

    def __call__(self, progress: Callable[[int, int], None], /) -> R: ...


Report = Callable[[str, int, int], None]
"""Told which job is how far: its name, steps done, steps in all."""


def run(jobs: Mapping[Name, Job[R]], compute: Compute, report: Report) -> dict[Name, R]:
    """The results of all jobs by name, in the order of `jobs`; the first failure ends them all."""
    workers = min(compute.workers, len(jobs))
    if workers == 1:
        torch.set_num_threads(compute.alone if len(jobs) == 1 else compute.threads)
        return {name: job(partial(report, name)) for name, job in jobs.items()}
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lottery.contest", "lottery.criteria"])
    with context.Manager() as manager:
        news = manager.Queue()
        with ProcessPoolExecutor(
            workers, context, torch.set_num_threads, (compute.threads,)
        ) as pool:
            futures = {
                name: pool.submit(job, partial(_send, news, name)) for name, job in jobs.items()
            }
            _relay(news, list(futures.values()), report)
            return {name: future.result() for name, future in futures.items()}


def _send(news: Any, name: str, done: int, total: int) -> None:
    news.put((name, done, total))


def _relay(news: Any, futures: list[Future[Any]], report: Report) -> None:
    """Pass progress on until every job has ended, or one has failed."""
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=0.1, return_when=FIRST_COMPLETED)
        for future in done:
            if future.exception() is not None:
                for other in pending:
                    other.cancel()
                return
        while True:
            try:
                report(*news.get_nowait())
            except queue.Empty:
                break
