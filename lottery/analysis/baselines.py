"""Baselines beside the tickets, by task: a bag of words, and good tickets trained from random weights."""

from collections.abc import Sequence

import pandas as pd

from lottery.analysis.frames import ordered
from lottery.analysis.score_tables import IDENTITY
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
    return _over_seeds(usable[trained | (usable["method"] == WHOLE)], ["task", *IDENTITY], tasks)


def out_of_distribution(cells: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """Scores on dev and on every other development set of a task that has any, over the seeds of usable cells."""
    main = cells.groupby("task")["metric"].transform("first")
    usable = cells[cells["usable"] & (cells["metric"] == main) & cells["matched"].isna()]
    others = usable["split"].str.startswith("dev-")
    with_others = usable["task"].isin(usable.loc[others, "task"])
    on_dev = usable[with_others & usable["split"].str.startswith("dev")]
    scored_everywhere = (
        on_dev.groupby(["task", *IDENTITY], dropna=False)["split"].transform("nunique") > 1
    )
    by = ["task", "split", *IDENTITY]
    return _over_seeds(on_dev[scored_everywhere], by, tasks)


def _over_seeds(cells: pd.DataFrame, by: Sequence[str], tasks: Sequence[str]) -> pd.DataFrame:
    means = cells.groupby(list(by), sort=False, dropna=False).agg(
        value=("value", "mean"),
        std=("value", "std"),
        share=("share", "mean"),
        n=("value", "count"),
        examples=("examples", "first"),
    )
    return ordered(means.reset_index(), tasks, by)
