"""Tables of what survives: sizes, places, and overlap between seeds and between tasks (paper, sections 5 and 6)."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, combinations_with_replacement

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lottery.analysis.frames import ordered, spread
from lottery.analysis.overlap import by_unit, overlaps
from lottery.subnetwork import Kept, Subnetwork
from lottery.ticket import Ticket
from lottery.tickets.methods import METHODS

Shares = Mapping[str, NDArray[np.float64]]
"""Share of each component that survives, in [0, 1]: heads [L, H] and mlps [L]."""
PAIR = ["method", "unit", "total", "shared", "expected", "jaccard", "chance"]


def component_shares(ticket: Ticket, heads: int) -> Shares:
    """How much of each head and MLP survives; of an encoder with so many `heads` a layer.

    A head's weights are its rows of query, key and value and its columns of the attention output.
    """
    kept = ticket.subnetwork
    if not METHODS[ticket.method].prunes_weights:
        return {unit: components.astype(np.float64) for unit, components in kept.items()}
    layers = 1 + max(int(name.split(".")[1]) for name in kept)
    return {
        "heads": np.stack([_head_shares(kept, layer, heads) for layer in range(layers)]),
        "mlps": np.array([_mlp_share(kept, layer) for layer in range(layers)]),
    }


def _head_shares(weights: Subnetwork, layer: int, heads: int) -> NDArray[np.float64]:
    def projection(name: str) -> Kept:
        return weights[f"layers.{layer}.attention.{name}.weight"]

    rows = [projection(name).reshape(heads, -1) for name in ("query", "key", "value")]
    columns = projection("output").T.reshape(heads, -1)
    shares_H: NDArray[np.float64] = np.concatenate([*rows, columns], axis=1).mean(axis=1)
    return shares_H


def _mlp_share(weights: Subnetwork, layer: int) -> float:
    matrices = [weights[f"layers.{layer}.mlp.{name}.weight"] for name in ("expand", "contract")]
    return sum(int(kept.sum()) for kept in matrices) / sum(kept.size for kept in matrices)


def sizes(tickets: Sequence[Ticket], curves: pd.DataFrame) -> pd.DataFrame:
    """Survivors per task, method, seed and unit, of how many, and the sparsity of the ticket."""
    key = ["task", "seed", "method"]
    sparsity = curves[curves["chosen"]].set_index(key)["sparsity"]
    rows = [
        {
            "task": ticket.task,
            "method": ticket.method,
            "seed": ticket.seed,
            "unit": unit,
            "kept": subnetwork.size,
            "total": subnetwork.total,
        }
        for ticket in tickets
        for unit, subnetwork in by_unit(ticket).items()
    ]
    return pd.DataFrame(rows).join(sparsity, on=key)


def survivors(sizes: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """Survivors per task and unit over the seeds; the unit `sparsity` is the share of weights removed."""
    by = ["task", "method", "unit", "total"]
    tickets = sizes.drop_duplicates(["task", "method", "seed"])
    removed = tickets.assign(unit="sparsity", total=1, kept=tickets["sparsity"])
    over_seeds = spread(pd.concat([sizes, removed], ignore_index=True), by, "kept")
    return ordered(over_seeds, tasks, ["task", "method"])


def survival(tickets: Sequence[Ticket], heads: int) -> pd.DataFrame:
    """Share of each head and MLP that survives: mean and std (ddof 1) over the seeds; `index` null for an MLP."""
    rows = [
        (ticket.task, ticket.method, unit, *_layer_and_index(place), ticket.seed, float(share))
        for ticket in tickets
        for unit, shares in component_shares(ticket, heads).items()
        for place, share in np.ndenumerate(shares)
    ]
    by = ["task", "method", "unit", "layer", "index"]
    frame = pd.DataFrame(rows, columns=[*by, "seed", "share"]).astype({"index": "Int64"})
    groups = frame.groupby(by, sort=False, dropna=False)["share"]
    return groups.agg(mean="mean", std="std", n="count").reset_index()


def _layer_and_index(place: tuple[int, ...]) -> tuple[int, int | None]:
    return place[0], place[1] if len(place) > 1 else None


def agreement(tickets: Sequence[Ticket], tasks: Sequence[str]) -> pd.DataFrame:
    """Jaccard index of the tickets of every two seeds of a task, and its expected value at their sizes."""
    rows = [
        {"task": a.task, "seed_a": a.seed, "seed_b": b.seed, **pair}
        for a, b in combinations(tickets, 2)
        if (a.task, a.method) == (b.task, b.method)
        for pair in _pairs(a, b)
    ]
    columns = ["task", "seed_a", "seed_b", *PAIR]
    return ordered(pd.DataFrame(rows, columns=columns), tasks, ["task", "method", "unit"])


def overlap(tickets: Sequence[Ticket], tasks: Sequence[str]) -> pd.DataFrame:
    """What the tickets of two tasks share within each seed: mean, std and interval over the seeds.

    `expected` is what independent subnetworks of the same sizes would share, |A||B| / total. A task with
    itself shares its whole size.
    """
    by_cell = {(ticket.task, ticket.seed, ticket.method): ticket for ticket in tickets}
    rows = [
        {"task_a": first, "task_b": second, "seed": seed, **pair}
        for first, second in combinations_with_replacement(tasks, 2)
        for task, seed, method in by_cell
        if task == first and (second, seed, method) in by_cell
        for pair in _pairs(by_cell[first, seed, method], by_cell[second, seed, method])
    ]
    by = ["task_a", "task_b", "method", "unit", "total"]
    frame = pd.DataFrame(rows)
    means = frame.groupby(by, sort=False)[["expected", "jaccard", "chance"]].mean()
    return spread(frame, by, "shared").join(means, on=by)


def _pairs(a: Ticket, b: Ticket) -> Iterator[dict[str, str | float]]:
    for overlap in overlaps(a, b):
        yield {
            "method": a.method,
            "unit": overlap.unit,
            "total": overlap.total,
            "shared": overlap.shared,
            "expected": overlap.expected,
            "jaccard": overlap.jaccard,
            "chance": overlap.expected_jaccard,
        }
