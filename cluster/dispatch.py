"""Submission of jobs to Dask: each as soon as its inputs are ready, the start of the longest chain first."""

from collections.abc import Callable, Iterable, Mapping
from secrets import token_hex

from distributed import Client, Future, as_completed

from cluster.dag import Graph
from cluster.job import Job, Outcome, run


def dispatch(
    graph: Graph,
    client: Client,
    prepare: Callable[[str], Job],
    ended: Callable[[Outcome], None],
    takes: Mapping[str, float],
    costs: Mapping[str, float],
) -> None:
    """Run every job of a graph; those that need a failed one are never submitted, all others are finished.

    Dask runs a job again elsewhere when its worker dies. takes: resources of a worker that a training job takes.
    costs: seconds of every job, or estimates.
    """
    chains = graph.longest_chains(costs)
    sorter = graph.sorter()
    names: dict[Future[Outcome], str] = {}
    arriving = as_completed()
    run_id = token_hex(8)  # another head may use the same scheduler

    def submit(ready: Iterable[str]) -> None:
        for name in ready:
            future = client.submit(
                run,
                prepare(name),
                pure=False,
                key=f"{name}-{run_id}",
                resources=takes if graph[name].trains else {},
                priority=chains[name],
            )
            names[future] = name
            arriving.add(future)

    submit(sorter.get_ready())
    for future in arriving:
        outcome = _outcome(future, names.pop(future))
        future.release()  # or Dask would run it again when the worker that holds its outcome dies
        ended(outcome)
        if outcome.entry is not None:
            sorter.done(outcome.job)
            submit(sorter.get_ready())


def _outcome(future: Future[Outcome], name: str) -> Outcome:
    """Outcome of a job; an exception of the worker becomes its log."""
    if future.status == "finished":
        return future.result()
    return Outcome(name, "lost", f"{type(future.exception()).__name__}: {future.exception()}\n")
