"""Are the survivors the meaningful heads? Habits of heads against their survival (paper, section 5).

The head is what is sampled: its number is the mean over sentences, and over seeds where there are several.
Tests shuffle heads within their layer, because patterns and survival both depend on the layer.
Suffixes: L layers, H heads of each, C all heads, R shuffles, K numbers of a head.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lottery.analysis.intervals import interval
from lottery.analysis.survival import Survivors
from lottery.attention.patterns import PATTERNS
from lottery.seeds import rng
from lottery.subnetwork import Kept

SHUFFLES = 1999
NUMBERS = (
    *PATTERNS, "rule", "agreement", "entropy", "distance", "cls", "sep", "itself",
)  # fmt: skip
SETTING = ["task", "state", "weighting"]
Array = NDArray[np.float64]


def survival_LH(found: Sequence[Survivors], task: str) -> Array:
    """The share of seeds whose good structured subnetwork keeps each head."""
    own = [
        each.shares["heads"] for each in found if (each.task, each.method) == (task, "structured")
    ]
    shares: Array = np.mean(own, axis=0)
    return shares


def groups(share_LH: Array) -> dict[str, Kept]:
    """All heads, those that every seed keeps, and those that none keeps: [L, H] each."""
    return {
        "all": np.ones(share_LH.shape, bool),
        "super": share_LH == 1,
        "never": share_LH == 0,
    }


def shares(gazes: pd.DataFrame, found: Sequence[Survivors]) -> pd.DataFrame:
    """Each number of each group of heads: mean, std and t interval over its n heads, and chance's.

    `random` is the mean of as many random heads of the same layers, between `random_low` and `random_high` in
    95 of 100 draws; `p` is two-sided, uncorrected, and null where no other heads could be drawn.
    """
    rows = [
        {**dict(zip(SETTING, setting, strict=True)), "group": group, **row}
        for setting, own in gazes.groupby(SETTING, sort=False)
        for share_LH in (survival_LH(found, str(setting[0])),)
        for group, member_LH in groups(share_LH).items()
        for row in _group(values_KLH(own, share_LH.shape), member_LH, (*map(str, setting), group))
    ]
    return pd.DataFrame(rows)


def values_KLH(own: pd.DataFrame, shape: tuple[int, ...]) -> Array:
    """Every number of every head, in the mean over seeds; NaN where a head is gone."""
    values = np.full((len(NUMBERS), *shape), np.nan)
    means = own.groupby(["layer", "index"])[list(NUMBERS)].mean()
    layers, heads = (means.index.get_level_values(level).to_numpy() for level in (0, 1))
    values[:, layers, heads] = means.to_numpy(np.float64).T
    return values


def _group(values: Array, member_LH: Kept, names: tuple[str, ...]) -> Iterator[dict[str, object]]:
    drawn_RK = random_RK(values, member_LH, rng("attention", *names))
    for at, number in enumerate(NUMBERS):
        own = values[at][member_LH]
        mean = asdict(interval(own[~np.isnan(own)]))
        by_chance = drawn_RK[:, at]
        low, high = np.quantile(by_chance, (0.025, 0.975))
        yield {
            "number": number,
            **mean,
            "random": float(by_chance.mean()),
            "random_low": float(low),
            "random_high": float(high),
            "p": two_sided(float(mean["mean"]), by_chance),
        }


def random_RK(values_KLH: Array, member_LH: Kept, chance: np.random.Generator) -> Array:
    """The mean of each number over random heads, as many of every layer as `member_LH` has; NaN for none."""
    drawn = chance.permuted(np.broadcast_to(member_LH, (SHUFFLES, *member_LH.shape)), axis=-1)
    size = int(member_LH.sum())
    if not size:
        return np.full((SHUFFLES, len(values_KLH)), np.nan)
    means: Array = drawn.reshape(SHUFFLES, -1) @ values_KLH.reshape(len(values_KLH), -1).T / size
    return means


def two_sided(observed: float, by_chance_R: Array) -> float:
    """Share of draws at least as far from their mean, the observed one among them; NaN where all are equal."""
    away_R = np.abs(by_chance_R - by_chance_R.mean())
    if np.isnan(observed) or np.isnan(away_R).any() or away_R.max() < 1e-12:
        return float("nan")
    far = (away_R >= abs(observed - by_chance_R.mean()) - 1e-12).sum()
    return float((1 + far) / (1 + len(by_chance_R)))


def correlation(gazes: pd.DataFrame, found: Sequence[Survivors]) -> pd.DataFrame:
    """Pearson's r of survival and the share of heterogeneous maps over heads, per task and for all tasks at once.

    `task` is null for all. `p` is two-sided, by shuffling heads within their layer.
    """
    finetuned = gazes[gazes["state"] == "finetuned"]
    rows = []
    for weighting, own in finetuned.groupby("weighting", sort=False):
        kept, shown = {}, {}
        for task, each in own.groupby("task", sort=False):
            kept[str(task)] = survival_LH(found, str(task))
            values = values_KLH(each, kept[str(task)].shape)
            shown[str(task)] = values[NUMBERS.index("heterogeneous")]
        for name, tasks in (*((task, [task]) for task in kept), (None, list(kept))):
            x, y = (np.concatenate([part[task] for task in tasks]) for part in (kept, shown))
            r, p = _correlated(x, y, rng("correlation", str(weighting), name or "all"))
            rows.append({"task": name, "weighting": weighting, "r": r, "p": p, "n": x.size})
    return pd.DataFrame(rows)


def _correlated(x_LH: Array, y_LH: Array, chance: np.random.Generator) -> tuple[float, float]:
    x, y = x_LH - x_LH.mean(), y_LH - y_LH.mean()
    scale = float(np.sqrt((x**2).sum() * (y**2).sum()))
    if not scale > 1e-12:
        return float("nan"), float("nan")
    drawn = chance.permuted(np.broadcast_to(x, (SHUFFLES, *x.shape)), axis=-1)
    r = float((x * y).sum() / scale)
    return r, two_sided(r, drawn.reshape(SHUFFLES, -1) @ y.ravel() / scale)


def contrast(gazes: pd.DataFrame, found: Sequence[Survivors]) -> pd.DataFrame:
    """Each cell's share of heterogeneous normed maps in its fine-tuned model: of all heads, and of those that
    survive with every seed of the task."""
    own = gazes[(gazes["state"] == "finetuned") & (gazes["weighting"] == "normed")]
    rows = [
        {"task": task, "seed": seed}
        | {
            f"heterogeneous {group}": _mean(shown[member_LH])
            for group, member_LH in groups(share_LH).items()
            if group != "never"
        }
        for (task, seed), each in own.groupby(["task", "seed"], sort=False)
        for share_LH in (survival_LH(found, str(task)),)
        for shown in (values_KLH(each, share_LH.shape)[NUMBERS.index("heterogeneous")],)
    ]
    return pd.DataFrame(rows).astype({"seed": int}).set_index(["task", "seed"])


def _mean(values: Array) -> float:
    return float(values.mean()) if values.size else float("nan")
