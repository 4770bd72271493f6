"""Baselines beside the tickets, by task: a bag of words, and good tickets trained from random weights."""

from collections.abc import Sequence

import pandas as pd

from lottery.analysis.columns import SIZED
from lottery.analysis.frames import ordered
from lottery.metrics import significance_margin
from lottery.tasks import get_task
from lottery.vocabulary import WHOLE

REFERENCE = ("good retrained", "bad retrained", "good reinitialised")
"""Kinds and states that are compared with the baselines of the unpruned encoder."""


def baselines(cells: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """Majority class, bag of words, full model, good and bad tickets retrained, good ones from random weights.

    `value` is the task's first metric on dev, `share` the corrected score: means over the n seeds of sound cells with
    usable tickets.
    """
    usable = cells[cells["reported"] & cells["usable"] & cells["matched"].isna()]
    trained = (usable["kind"] + " " + usable["state"]).isin(REFERENCE)
    return _over_seeds(usable[trained | (usable["method"] == WHOLE)], ["task", *SIZED], tasks)


def out_of_distribution(cells: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """Scores on dev and on every other development set of a task that has any, over the seeds of usable cells.

    `share` is NaN on a set where the mean full model is not significantly above the majority class.
    """
    main = cells.groupby("task")["metric"].transform("first")
    usable = cells[cells["usable"] & (cells["metric"] == main) & cells["matched"].isna()]
    others = usable["split"].str.startswith("dev-")
    with_others = usable["task"].isin(usable.loc[others, "task"])
    on_dev = usable[with_others & usable["split"].str.startswith("dev")]
    scored_everywhere = (
        on_dev.groupby(["task", *SIZED], dropna=False)["split"].transform("nunique") > 1
    )
    by = ["task", "split", *SIZED]
    table = _over_seeds(on_dev[scored_everywhere], by, tasks)
    return table.assign(share=table["share"].where(_beats_guess(table)))


def _beats_guess(table: pd.DataFrame) -> "pd.Series[bool]":
    """Mask of the rows on whose set the full model is significantly above the majority class."""
    split = ["task", "split"]
    full, majority = (
        table[table["kind"] == kind].set_index(split)["value"].rename(kind)
        for kind in ("full", "majority")
    )
    beside = table[[*split, "examples"]].join(full, on=split).join(majority, on=split)
    margin = [
        significance_margin(get_task(task).metrics[0], examples)
        for task, examples in zip(beside["task"], beside["examples"], strict=True)
    ]
    return beside["full"] - beside["majority"] > pd.Series(margin, beside.index, dtype=float)


def _over_seeds(cells: pd.DataFrame, by: Sequence[str], tasks: Sequence[str]) -> pd.DataFrame:
    means = cells.groupby(list(by), sort=False, dropna=False).agg(
        value=("value", "mean"),
        std=("value", "std"),
        share=("share", "mean"),
        n=("value", "count"),
        examples=("examples", "first"),
    )
    return ordered(means.reset_index(), tasks, by)
