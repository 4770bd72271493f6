"""Survival tables: sizes of tickets, surviving components, overlap of seeds and of tasks (paper, sections 5 and 6)."""

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
    """Share of each head and MLP that survives, in an encoder with `heads` heads per layer.

    If single weights are pruned, it is the share of the weights of the head (its rows of query, key and value, its
    columns of the output projection) or of the MLP.
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
    """Size of each ticket by unit, and its sparsity: task, method, seed, unit, kept, total, sparsity."""
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
    """Sizes per task and unit over seeds, with a unit `sparsity`: the share of weights removed."""
    by = ["task", "method", "unit", "total"]
    tickets = sizes.drop_duplicates(["task", "method", "seed"])
    removed = tickets.assign(unit="sparsity", total=1, kept=tickets["sparsity"])
    over_seeds = spread(pd.concat([sizes, removed], ignore_index=True), by, "kept")
    return ordered(over_seeds, tasks, ["task", "method"])


def survival(tickets: Sequence[Ticket], heads: int) -> pd.DataFrame:
    """Share of each head and MLP that survives: mean and std (ddof 1) over seeds; `index` is null for an MLP."""
    rows = [
        (ticket.task, ticket.method, unit, *_layer_and_index(position), ticket.seed, float(share))
        for ticket in tickets
        for unit, shares in component_shares(ticket, heads).items()
        for position, share in np.ndenumerate(shares)
    ]
    by = ["task", "method", "unit", "layer", "index"]
    frame = pd.DataFrame(rows, columns=[*by, "seed", "share"]).astype({"index": "Int64"})
    groups = frame.groupby(by, sort=False, dropna=False)["share"]
    return groups.agg(mean="mean", std="std", n="count").reset_index()


def _layer_and_index(position: tuple[int, ...]) -> tuple[int, int | None]:
    return position[0], position[1] if len(position) > 1 else None


def agreement(tickets: Sequence[Ticket], tasks: Sequence[str]) -> pd.DataFrame:
    """Jaccard index between every two seeds of a task, and its value at chance, given their sizes."""
    rows = [
        {"task": a.task, "seed_a": a.seed, "seed_b": b.seed, **pair}
        for a, b in combinations(tickets, 2)
        if (a.task, a.method) == (b.task, b.method)
        for pair in _pairs(a, b)
    ]
    columns = ["task", "seed_a", "seed_b", *PAIR]
    return ordered(pd.DataFrame(rows, columns=columns), tasks, ["task", "method", "unit"])


def overlap(tickets: Sequence[Ticket], tasks: Sequence[str]) -> pd.DataFrame:
    """Number of components that tickets of two tasks with one seed share: mean, std and interval over seeds.

    `expected` is the number that independent subnetworks of these sizes would share, |A||B| / total. A task shares
    its whole ticket with itself.
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
    for in_unit in overlaps(a, b):
        yield {
            "method": a.method,
            "unit": in_unit.unit,
            "total": in_unit.total,
            "shared": in_unit.shared,
            "expected": in_unit.expected,
            "jaccard": in_unit.jaccard,
            "chance": in_unit.expected_jaccard,
        }
