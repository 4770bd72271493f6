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
PAIR = ["method", "unit", "total", "shared", "expected", "jaccard", "chance", "kappa"]


def component_shares(ticket: Ticket, heads: int) -> Shares:
    """Share of each head and MLP that survives, in an encoder with `heads` heads per layer.

    If single weights are pruned, it is the share of the weights of the head (its rows of query, key and value, its
    columns of the output projection) or of the MLP. If neurons are pruned, it is the share of those of an MLP.
    """
    kept = ticket.subnetwork
    if not METHODS[ticket.method].prunes_weights:
        mlps = kept["neurons"].mean(axis=1) if "neurons" in kept else kept["mlps"].astype(float)
        return {"heads": kept["heads"].astype(np.float64), "mlps": mlps}
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
    """Overlap of good tickets of every two seeds of a task, of the size of their search and of matched sizes.

    Jaccard index, its value at chance given the sizes, and Cohen's kappa. `pretrained_kappa` is the mean kappa of the
    two with the masks of the pre-trained weights of that size, where there are any.
    """
    masks = {
        (t.task, t.seed, t.method, t.key.matched): t for t in tickets if t.kind == "pretrained"
    }
    rows = [
        {"task": a.task, "seed_a": a.seed, "seed_b": b.seed, "matched": a.key.matched}
        | {"pretrained_kappa": _pretrained_kappa((a, b), masks), **pair}
        for a, b in combinations([ticket for ticket in tickets if ticket.kind == "good"], 2)
        if (a.task, a.key) == (b.task, b.key)
        for pair in _pairs(a, b)
    ]
    columns = ["task", "seed_a", "seed_b", "matched", *PAIR, "pretrained_kappa"]
    frame = pd.DataFrame(rows, columns=columns).astype({"matched": float})
    return ordered(frame, tasks, ["task", "method", "unit", "matched"])


def _pretrained_kappa(
    pair: tuple[Ticket, Ticket], masks: Mapping[tuple[str, int, str, float | None], Ticket]
) -> float:
    keys = [(ticket.task, ticket.seed, ticket.method, ticket.key.matched) for ticket in pair]
    kappas = [
        overlap.kappa
        for ticket, key in zip(pair, keys, strict=True)
        if key in masks
        for overlap in overlaps(ticket, masks[key])
    ]
    return float(np.mean(kappas)) if kappas else float("nan")


def overlap(tickets: Sequence[Ticket], tasks: Sequence[str]) -> pd.DataFrame:
    """Number of components that good tickets of two tasks with one seed share: mean and std over seeds.

    `expected` is the number that independent subnetworks of these sizes would share, |A||B| / total. A task shares
    its whole ticket with itself. `matched` is null for tickets of the size of their search.
    """
    by_cell = {(t.task, t.seed, t.key): t for t in tickets if t.kind == "good"}
    rows = [
        {"task_a": first, "task_b": second, "seed": seed, "matched": key.matched, **pair}
        for first, second in combinations_with_replacement(tasks, 2)
        for task, seed, key in by_cell
        if task == first and (second, seed, key) in by_cell
        for pair in _pairs(by_cell[first, seed, key], by_cell[second, seed, key])
    ]
    by = ["task_a", "task_b", "method", "unit", "matched", "total"]
    frame = pd.DataFrame(rows, columns=["task_a", "task_b", "seed", "matched", *PAIR])
    means = frame.astype({"matched": float}).groupby(by, sort=False, dropna=False)
    return means.agg(
        mean=("shared", "mean"),
        std=("shared", "std"),
        n=("shared", "count"),
        **{name: (name, "mean") for name in ("expected", "jaccard", "chance", "kappa")},
    ).reset_index()


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
            "kappa": in_unit.kappa,
        }
