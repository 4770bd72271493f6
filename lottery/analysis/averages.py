"""Corrected scores over tasks and seeds, and the headline numbers of a run."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lottery.analysis.bootstrap import Resampled
from lottery.analysis.columns import CELL, SIZED
from lottery.analysis.frames import ordered
from lottery.analysis.strata import mean_of_cells
from lottery.tickets.methods import METHODS
from lottery.vocabulary import GOOD_AND_CONTROLS, MEASURED


def averages(
    cells: pd.DataFrame, tasks: Sequence[str], resampled: Mapping[tuple[object, ...], Resampled]
) -> pd.DataFrame:
    """Mean corrected score of each kind of ticket: the mean over tasks of the means over seeds, with its interval.

    Only usable tickets of sound cells count, and `over` names the tasks that have any; `n` counts the cells. `interval`
    says what the bounds of 95 % are: `bootstrap` over seeds and examples, from five seeds on, or `t` over seeds alone.
    """
    usable = cells[cells["reported"] & cells["usable"]].dropna(subset="share")
    rows = []
    for key, of_kind in usable.groupby(SIZED, sort=False, dropna=False):
        identity = tuple(key)
        values = of_kind.set_index(CELL)["share"]
        mean = mean_of_cells(values)
        matched = of_kind["matched"].iloc[0]
        bootstrap = resampled.get((*identity[:3], None if pd.isna(matched) else matched))
        bootstrapped = bootstrap.interval() if bootstrap else None
        low, high = bootstrapped or (mean.low, mean.high)
        if of_kind["kind"].iloc[0] in ("majority", "full"):  # 0 and 1, by definition
            low = high = mean.mean
        rows.append(
            {
                **dict(zip(SIZED, identity, strict=True)),
                "tasks": mean.tasks,
                "over": " ".join(dict.fromkeys(of_kind["task"])),
                "mean": mean.mean,
                "low": low,
                "high": high,
                "n": mean.cells,
                "interval": "bootstrap" if bootstrapped else "t",
            }
        )
    columns = [*SIZED, "tasks", "over", "mean", "low", "high", "n", "interval"]
    return ordered(pd.DataFrame(rows, columns=columns), tasks, SIZED)


def headline_numbers(frames: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The numbers by which runs are compared: corrected scores, sparsity and agreement of usable tickets.

    Undefined numbers are None. `jaccard` is the index of good tickets of two seeds, their heads or their weights,
    averaged over the pairs of seeds of all tasks; all are of the size that their search left.
    """
    averages, tasks, pairs = frames["averages"], frames["tasks"], frames["agreement"]
    means = (
        averages[averages["matched"].isna()]
        .set_index(["method", "kind", "state"])["mean"]
        .to_dict()
    )
    searches = frames["searches"]
    sparsity = searches[searches["usable"]].groupby("method")["sparsity"].mean()
    pairs = pairs[pairs["matched"].isna() & ~pairs["unit"].isin(["mlps", "neurons"])]
    jaccard = pairs.groupby("method")["jaccard"].mean()
    verdicts = frames["verdicts"]["verdict"].value_counts().to_dict()
    numbers: dict[str, Any] = {
        "full": _rounded(tasks["full"].mean()),
        "majority": _rounded(tasks["majority"].mean()),
        "verdicts": {str(word): int(count) for word, count in sorted(verdicts.items())},
    }
    for method in METHODS:
        numbers[method] = {
            state: {kind: _rounded(means.get((method, kind, state))) for kind in GOOD_AND_CONTROLS}
            for state in MEASURED
        } | {
            "sparsity": _rounded(sparsity.get(method)),
            "jaccard": _rounded(jaccard.get(method)),
        }
    return numbers


def _rounded(value: float | None) -> float | None:
    return None if value is None or pd.isna(value) else round(float(value), 6)
