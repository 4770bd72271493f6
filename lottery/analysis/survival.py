"""What survives, where, and whether seeds and tasks agree on it (paper, sections 5 and 6)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lottery.analysis.frames import ordered, spread
from lottery.subnetwork import Kept, Subnetwork

Shares = Mapping[str, NDArray[np.float64]]
"""Share of each component that survives, in [0, 1]: heads [L, H] and mlps [L]."""


@dataclass(frozen=True)
class Survivors:
    """One good subnetwork: its `shares` of each head and MLP, and its components `bits`, packed, of `totals`."""

    task: str
    seed: int
    method: str
    shares: Shares
    bits: Mapping[str, NDArray[np.uint8]]
    totals: Mapping[str, int]

    @property
    def sizes(self) -> dict[str, int]:
        """How many heads and MLPs, or weights, survive."""
        return {unit: int(np.bitwise_count(bits).sum()) for unit, bits in self.bits.items()}


def structured(task: str, seed: int, good: Subnetwork) -> Survivors:
    """Heads and MLPs that survive whole or not at all."""
    return Survivors(
        task=task,
        seed=seed,
        method="structured",
        shares={unit: kept.astype(np.float64) for unit, kept in good.items()},
        bits={unit: np.packbits(kept) for unit, kept in good.items()},
        totals={unit: kept.size for unit, kept in good.items()},
    )


def magnitude(task: str, seed: int, good: Subnetwork, heads: int) -> Survivors:
    """Single weights; a head's are its rows of query, key and value and its columns of the output."""
    layers = 1 + max(int(name.split(".")[1]) for name in good)
    return Survivors(
        task=task,
        seed=seed,
        method="magnitude",
        shares={
            "heads": np.stack([_head_shares(good, layer, heads) for layer in range(layers)]),
            "mlps": np.array([_mlp_share(good, layer) for layer in range(layers)]),
        },
        bits={"weights": np.packbits(good.flat)},
        totals={"weights": good.total},
    )


def _head_shares(good: Subnetwork, layer: int, heads: int) -> NDArray[np.float64]:
    def of(projection: str) -> Kept:
        return good[f"layers.{layer}.attention.{projection}.weight"]

    rows = [of(name).reshape(heads, -1) for name in ("query", "key", "value")]
    columns = of("output").T.reshape(heads, -1)
    shares: NDArray[np.float64] = np.concatenate([*rows, columns], axis=1).mean(axis=1)
    return shares


def _mlp_share(good: Subnetwork, layer: int) -> float:
    parts = [good[f"layers.{layer}.mlp.{name}.weight"] for name in ("expand", "contract")]
    return sum(int(part.sum()) for part in parts) / sum(part.size for part in parts)


def sizes(found: Sequence[Survivors], curves: pd.DataFrame) -> pd.DataFrame:
    """Per task, method, seed and unit: how many survive, of how many, and the sparsity of the subnetwork."""
    key = ["task", "seed", "method"]
    sparsity = curves[curves["chosen"]].set_index(key)["sparsity"]
    rows = [
        {
            "task": each.task,
            "method": each.method,
            "seed": each.seed,
            "unit": unit,
            "kept": size,
            "total": each.totals[unit],
        }
        for each in found
        for unit, size in each.sizes.items()
    ]
    return pd.DataFrame(rows).join(sparsity, on=key)


def survivors(sizes: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """Survivors per task and unit over the seeds, and, as the unit `sparsity`, the share of weights gone."""
    by = ["task", "method", "unit", "total"]
    once = sizes.drop_duplicates(["task", "method", "seed"])
    gone = once.assign(unit="sparsity", total=1, kept=once["sparsity"])
    found = spread(pd.concat([sizes, gone], ignore_index=True), by, "kept")
    return ordered(found, tasks, ["task", "method"])


def survival(found: Sequence[Survivors]) -> pd.DataFrame:
    """Share of each head and MLP that survives: mean and std (ddof 1) over the seeds; `index` null for an MLP."""
    rows = [
        (each.task, each.method, unit, *_place(place), each.seed, float(share))
        for each in found
        for unit, shares in each.shares.items()
        for place, share in np.ndenumerate(shares)
    ]
    by = ["task", "method", "unit", "layer", "index"]
    frame = pd.DataFrame(rows, columns=[*by, "seed", "share"]).astype({"index": "Int64"})
    groups = frame.groupby(by, sort=False, dropna=False)["share"]
    return groups.agg(mean="mean", std="std", n="count").reset_index()


def _place(place: tuple[int, ...]) -> tuple[int, int | None]:
    return place[0], place[1] if len(place) > 1 else None


def agreement(found: Sequence[Survivors], tasks: Sequence[str]) -> pd.DataFrame:
    """Jaccard index of the good subnetworks of every two seeds of a task, and what chance gives their sizes."""
    rows = [
        {"task": a.task, "seed_a": a.seed, "seed_b": b.seed, **pair}
        for a, b in combinations(found, 2)
        if (a.task, a.method) == (b.task, b.method)
        for pair in _pairs(a, b)
    ]
    columns = ["task", "seed_a", "seed_b", *PAIR]
    return ordered(pd.DataFrame(rows, columns=columns), tasks, ["task", "method", "unit"])


def overlap(found: Sequence[Survivors], tasks: Sequence[str]) -> pd.DataFrame:
    """What two tasks keep in common, within each seed: mean, std and interval over the seeds.

    `expected` is what independent subnetworks of the same sizes would share, |A||B| / total. A task with
    itself shares its whole size.
    """
    by_name = {(each.task, each.seed, each.method): each for each in found}
    rows = [
        {"task_a": first, "task_b": second, "seed": seed, **pair}
        for first, second in combinations_with_replacement(tasks, 2)
        for task, seed, method in by_name
        if task == first and (second, seed, method) in by_name
        for pair in _pairs(by_name[first, seed, method], by_name[second, seed, method])
    ]
    by = ["task_a", "task_b", "method", "unit", "total"]
    frame = pd.DataFrame(rows)
    means = frame.groupby(by, sort=False)[["expected", "jaccard", "chance"]].mean()
    return spread(frame, by, "shared").join(means, on=by)


PAIR = ["method", "unit", "total", "shared", "expected", "jaccard", "chance"]


def _pairs(a: Survivors, b: Survivors) -> Iterator[dict[str, str | float]]:
    """Two subnetworks of one method, unit by unit: what they share and what chance would give."""
    for unit, total in a.totals.items():
        shared = int(np.bitwise_count(a.bits[unit] & b.bits[unit]).sum())
        together = a.sizes[unit] + b.sizes[unit]
        expected = a.sizes[unit] * b.sizes[unit] / total
        yield {
            "method": a.method,
            "unit": unit,
            "total": total,
            "shared": shared,
            "expected": expected,
            "jaccard": shared / (together - shared) if together else np.nan,
            "chance": expected / (together - expected) if together else np.nan,
        }
