"""Attention profiles of heads against their survival: are the survivors the meaningful heads? (paper, section 5)

The unit of sampling is the head: its value is the mean over sentences, and over seeds where there are several.
Tests permute heads within their layer, because patterns and survival both depend on the layer.
Suffixes: S seeds, L layers, H heads of each, R permutations, K descriptors of a head.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lottery import seeds
from lottery.analysis.intervals import interval
from lottery.analysis.resampling import PERMUTATIONS, permutations, two_sided
from lottery.attention.patterns import PATTERNS
from lottery.subnetwork import Kept
from lottery.ticket import Ticket
from lottery.tickets.methods import STRUCTURED

DESCRIPTORS = (
    *PATTERNS, "rule", "agreement", "entropy", "distance", "cls", "sep", "itself",
)  # fmt: skip
HETEROGENEOUS = DESCRIPTORS.index("heterogeneous")
SETTING = ["task", "state", "weighting"]
Array = NDArray[np.float64]


def survival_LH(tickets: Sequence[Ticket], task: str) -> Array:
    """Share of seeds whose s-pruned good ticket keeps each head."""
    heads_SLH = [
        ticket.subnetwork["heads"].astype(np.float64)
        for ticket in tickets
        if (ticket.task, ticket.method) == (task, STRUCTURED.name)
    ]
    shares_LH: Array = np.mean(heads_SLH, axis=0)
    return shares_LH


def groups(share_LH: Array) -> dict[str, Kept]:
    """All heads, those that every seed keeps, and those that none keeps: [L, H] each."""
    return {
        "all": np.ones(share_LH.shape, bool),
        "super": share_LH == 1,
        "never": share_LH == 0,
    }


def shares(profiles: pd.DataFrame, tickets: Sequence[Ticket]) -> pd.DataFrame:
    """Each descriptor of each group of heads: mean, std and t interval over its n heads, next to chance.

    `random` is the mean of as many random heads of the same layers, between `random_low` and `random_high` in
    95 of 100 draws; `p` is two-sided, uncorrected, and null where no other heads could be drawn.
    """
    rows = []
    for setting, in_setting in profiles.groupby(SETTING, sort=False):
        share_LH = survival_LH(tickets, str(setting[0]))
        values_KLH = head_values_KLH(in_setting, share_LH.shape)
        for group, member_LH in groups(share_LH).items():
            names = (*map(str, setting), group)
            identity = {**dict(zip(SETTING, setting, strict=True)), "group": group}
            rows += [{**identity, **row} for row in _group_rows(values_KLH, member_LH, names)]
    return pd.DataFrame(rows)


def head_values_KLH(profiles: pd.DataFrame, shape: tuple[int, ...]) -> Array:
    """Every descriptor of every head, averaged over seeds; NaN where a head was pruned."""
    values_KLH = np.full((len(DESCRIPTORS), *shape), np.nan)
    means = profiles.groupby(["layer", "index"])[list(DESCRIPTORS)].mean()
    layers, heads = (means.index.get_level_values(level).to_numpy() for level in (0, 1))
    values_KLH[:, layers, heads] = means.to_numpy(np.float64).T
    return values_KLH


def _group_rows(
    values_KLH: Array, member_LH: Kept, names: tuple[str, ...]
) -> Iterator[dict[str, object]]:
    random_RK = random_means_RK(values_KLH, member_LH, seeds.rng("attention", *names))
    for index, descriptor in enumerate(DESCRIPTORS):
        values = values_KLH[index][member_LH]
        mean = asdict(interval(values[~np.isnan(values)]))
        random_R = random_RK[:, index]
        low, high = np.quantile(random_R, (0.025, 0.975))
        yield {
            "number": descriptor,
            **mean,
            "random": float(random_R.mean()),
            "random_low": float(low),
            "random_high": float(high),
            "p": two_sided(float(mean["mean"]), random_R),
        }


def random_means_RK(values_KLH: Array, member_LH: Kept, rng: np.random.Generator) -> Array:
    """Mean of each descriptor over random heads, as many of every layer as `member_LH` has; NaN for none."""
    members_RLH = permutations(member_LH, rng)
    size = int(member_LH.sum())
    if not size:
        return np.full((PERMUTATIONS, len(values_KLH)), np.nan)
    sums_RK: Array = (
        members_RLH.reshape(PERMUTATIONS, -1) @ values_KLH.reshape(len(values_KLH), -1).T
    )
    return sums_RK / size


def correlation(profiles: pd.DataFrame, tickets: Sequence[Ticket]) -> pd.DataFrame:
    """Pearson's r over heads between survival and the share of heterogeneous maps, per task and for all tasks.

    `task` is null for all. `p` is two-sided, by permuting heads within their layer.
    """
    finetuned = profiles[profiles["state"] == "finetuned"]
    rows = []
    for weighting, of_weighting in finetuned.groupby("weighting", sort=False):
        kept, heterogeneous = {}, {}
        for task, of_task in of_weighting.groupby("task", sort=False):
            kept[str(task)] = survival_LH(tickets, str(task))
            values_KLH = head_values_KLH(of_task, kept[str(task)].shape)
            heterogeneous[str(task)] = values_KLH[HETEROGENEOUS]
        for name, tasks in (*((task, [task]) for task in kept), (None, list(kept))):
            x_LH = np.concatenate([kept[task] for task in tasks])
            y_LH = np.concatenate([heterogeneous[task] for task in tasks])
            r, p = _correlation_test(
                x_LH, y_LH, seeds.rng("correlation", str(weighting), name or "all")
            )
            rows.append({"task": name, "weighting": weighting, "r": r, "p": p, "n": x_LH.size})
    return pd.DataFrame(rows)


def _correlation_test(x_LH: Array, y_LH: Array, rng: np.random.Generator) -> tuple[float, float]:
    x, y = x_LH - x_LH.mean(), y_LH - y_LH.mean()
    scale = float(np.sqrt((x**2).sum() * (y**2).sum()))
    if not scale > 1e-12:
        return float("nan"), float("nan")
    permuted = permutations(x, rng).reshape(PERMUTATIONS, -1)
    r = float((x * y).sum() / scale)
    return r, two_sided(r, permuted @ y.ravel() / scale)


def heterogeneity(profiles: pd.DataFrame, tickets: Sequence[Ticket]) -> pd.DataFrame:
    """Share of heterogeneous normed maps in each cell's fine-tuned model: over all heads, and over those that
    survive with every seed of the task."""
    normed = profiles[(profiles["state"] == "finetuned") & (profiles["weighting"] == "normed")]
    rows = []
    for (task, seed), of_cell in normed.groupby(["task", "seed"], sort=False):
        share_LH = survival_LH(tickets, str(task))
        heterogeneous_LH = head_values_KLH(of_cell, share_LH.shape)[HETEROGENEOUS]
        of_groups = {
            f"heterogeneous {group}": _mean(heterogeneous_LH[member_LH])
            for group, member_LH in groups(share_LH).items()
            if group != "never"
        }
        rows.append({"task": task, "seed": seed, **of_groups})
    return pd.DataFrame(rows).astype({"seed": int}).set_index(["task", "seed"])


def _mean(values: Array) -> float:
    return float(values.mean()) if values.size else float("nan")
