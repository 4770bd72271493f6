"""Size of a cluster: workers that end are requested again, idle ones are released once fewer jobs are left."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from secrets import SystemRandom
from threading import Event, Thread
from typing import Any

from distributed import Client, SpecCluster

from lottery.errors import first_line
from stages.shell import cli

INTERVAL = 5.0
"""Seconds between two looks at the workers, at least; at most half longer."""


@contextmanager
def scaled(
    cluster: Any, client: Client, count: int | None, left: Callable[[], int]
) -> Iterator[None]:
    """Keep a cluster at `count` workers, or at those that it has, as long as so many jobs are left.

    A worker whose batch job ends, or whose machine fails, does not come back itself. Looking at them may fail, and is
    tried again; the first error is printed.
    """
    ended = Event()

    def look() -> None:
        printed = False
        while not ended.is_set():
            try:
                adjust(cluster, client, count, left())
            except OSError:  # no answer: the run's own requests say so
                pass
            except Exception as error:  # noqa: BLE001 - of Dask; without this thread no worker would come back
                if not (printed or ended.is_set()):
                    cli.console.print(f"  workers, trying again: {first_line(error)}", markup=False)
                printed = True
            ended.wait(INTERVAL * SystemRandom().uniform(1, 1.5))

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(INTERVAL)


def adjust(cluster: Any, client: Client, count: int | None, jobs: int) -> None:
    """Request `count` workers as long as there are jobs for all of them; then release those that run none.

    Clusters of another kind than Dask's own are never made smaller.
    """
    if not isinstance(cluster, SpecCluster):
        if count is not None:
            cluster.scale(count)
        return
    wanted = jobs if count is None else min(count, jobs)
    surplus = len(cluster.worker_spec) - wanted
    if surplus > 0:
        cluster.sync(cluster.scale_down, _unused(cluster, client)[:surplus])
    elif count is not None:
        cluster.scale(wanted)


def _unused(cluster: SpecCluster, client: Client) -> list[Any]:
    """Names of workers, or of batch jobs of several, that run nothing or have not begun."""
    workers = client.scheduler_info(n_workers=-1)["workers"]
    jobs = client.processing()
    busy = {worker["name"] for address, worker in workers.items() if jobs.get(address)}
    members = {
        name: [f"{name}{suffix}" for suffix in spec.get("group", ())] or [name]
        for name, spec in cluster.worker_spec.items()
    }
    return [name for name, names in members.items() if busy.isdisjoint(names)]
