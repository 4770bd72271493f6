"""Attention profiles of heads and their survival: do heads with meaningful patterns survive? (paper, section 5)

The unit of sampling is the head; its values are averaged over sentences, and over seeds if there are several.
Tests permute heads within their layer, because both patterns and survival depend on the layer.
Suffixes: S seeds, L layers, H heads of each, R permutations, K descriptors of a head.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lottery import seeds
from lottery.analysis.frames import SPREAD
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
    """Masks [L, H] of all heads, of super-survivors (kept with every seed), and of those kept with none."""
    return {
        "all": np.ones(share_LH.shape, bool),
        "super": share_LH == 1,
        "never": share_LH == 0,
    }


def shares(profiles: pd.DataFrame, tickets: Sequence[Ticket]) -> pd.DataFrame:
    """Every descriptor over each group of heads: mean, std and t interval over its n heads, and the chance level.

    `random` is the mean over as many random heads of each layer, which is between `random_low` and `random_high` in
    95 % of draws; `p` is two-sided, uncorrected, and null if no other heads could be drawn.
    """
    rows = []
    for setting, in_setting in profiles.groupby(SETTING, sort=False):
        share_LH = survival_LH(tickets, str(setting[0]))
        values_KLH = head_values_KLH(in_setting, share_LH.shape)
        for group, member_LH in groups(share_LH).items():
            names = (*map(str, setting), group)
            identity = {**dict(zip(SETTING, setting, strict=True)), "group": group}
            rows += [{**identity, **row} for row in _group_rows(values_KLH, member_LH, names)]
    columns = [*SETTING, "group", "descriptor", *SPREAD, "random", "random_low", "random_high", "p"]
    return pd.DataFrame(rows, columns=columns)


def head_values_KLH(profiles: pd.DataFrame, shape: tuple[int, ...]) -> Array:
    """Every descriptor of every head, averaged over seeds; NaN for pruned heads."""
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
        mean = interval(values[~np.isnan(values)])
        random_R = random_RK[:, index]
        low, high = np.quantile(random_R, (0.025, 0.975))
        yield {
            "descriptor": descriptor,
            **asdict(mean),
            "random": float(random_R.mean()),
            "random_low": float(low),
            "random_high": float(high),
            "p": two_sided(mean.mean, random_R),
        }


def random_means_RK(values_KLH: Array, member_LH: Kept, rng: np.random.Generator) -> Array:
    """Means of each descriptor over random heads, as many of each layer as in `member_LH`; NaN if it has none."""
    members_RLH = permutations(member_LH, rng)
    size = int(member_LH.sum())
    if not size:
        return np.full((PERMUTATIONS, len(values_KLH)), np.nan)
    sums_RK: Array = (
        members_RLH.reshape(PERMUTATIONS, -1) @ values_KLH.reshape(len(values_KLH), -1).T
    )
    return sums_RK / size


def correlation(profiles: pd.DataFrame, tickets: Sequence[Ticket]) -> pd.DataFrame:
    """Pearson's r over heads between survival and the share of heterogeneous maps, per task and over all tasks.

    `task` is null for all tasks. `p` is two-sided, by permuting heads within their layer.
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
    return pd.DataFrame(rows, columns=["task", "weighting", "r", "p", "n"])


def _correlation_test(x_LH: Array, y_LH: Array, rng: np.random.Generator) -> tuple[float, float]:
    x, y = x_LH - x_LH.mean(), y_LH - y_LH.mean()
    scale = float(np.sqrt((x**2).sum() * (y**2).sum()))
    if not scale > 1e-12:
        return float("nan"), float("nan")
    permuted = permutations(x, rng).reshape(PERMUTATIONS, -1)
    r = float((x * y).sum() / scale)
    return r, two_sided(r, permuted @ y.ravel() / scale)
