"""The head's loop: every cell goes out as soon as its inputs are in, the longest way to go first."""

from collections.abc import Callable, Mapping, Set
from secrets import token_hex

from distributed import Client, Future, as_completed

from cluster.dag import Graph
from cluster.job import Job, Outcome, run


def work(
    cells: Graph,
    done: Set[str],
    client: Client,
    errand: Callable[[str], Job],
    ended: Callable[[Outcome], None],
    takes: Mapping[str, float],
    cost: Mapping[str, float],
) -> None:
    """Run all cells that are not done. What needs a cell that failed is never sent; the rest is finished first.

    Dask sends a cell elsewhere when its worker dies. takes: resources, for cells that ask for any. cost: seconds
    of every cell, or a guess.
    """
    ways = cells.ways(cost)
    done = set(done)
    names: dict[Future[Outcome], str] = {}
    sent = set[str]()
    arriving = as_completed()
    run_id = token_hex(8)  # another head may be at the same scheduler

    def send() -> None:
        for name in cells.ready(done):
            if name not in sent:
                sent.add(name)
                asked = takes if cells[name].takes else {}
                future = client.submit(
                    run,
                    errand(name),
                    pure=False,
                    key=f"{name}-{run_id}",
                    resources=asked,
                    priority=ways[name],
                )
                names[future] = name
                arriving.add(future)

    send()
    for future in arriving:
        outcome = _outcome(future, names.pop(future))
        future.release()  # or Dask would run it again when the worker that holds its outcome dies
        ended(outcome)
        if outcome.entry is not None:
            done.add(outcome.cell)
            send()


def _outcome(future: Future[Outcome], name: str) -> Outcome:
    """What a cell's future holds; whatever broke it becomes its log."""
    if future.status == "finished":
        return future.result()
    return Outcome(name, "lost", f"{type(future.exception()).__name__}: {future.exception()}\n")
