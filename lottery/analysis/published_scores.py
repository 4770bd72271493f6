"""The authors' scores (published/results.csv, whose README names the source), for a place beside ours."""

from pathlib import Path

import pandas as pd

from lottery.errors import UserError

OWNER = ["method", "kind", "state"]
COLUMNS = ["task", *OWNER, "metric", "mean", "std"]


def results(path: Path) -> pd.DataFrame:
    """Mean and std (ddof 1) over the authors' five seeds, a row per task, method, kind and state.

    On GLUE's development sets, on which their subnetworks were chosen as well. A UserError where the file is
    missing or another table.
    """
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: no readable table: {' '.join(str(error).split())}") from None
    if list(table.columns) != COLUMNS or table.duplicated(["task", *OWNER]).any():
        raise UserError(
            f"{path}: expected one row per {', '.join(COLUMNS[:4])} with metric, mean, std"
        )
    return table


def sound(results: pd.DataFrame) -> pd.DataFrame:
    """The tasks whose full model is above the majority class: all but WNLI."""
    levels = results[results["method"] == "full"].pivot(index="task", columns="kind", values="mean")
    above = levels.index[levels["full"] > levels["majority"]]
    return results[results["task"].isin(above)]


def averages(results: pd.DataFrame) -> pd.DataFrame:
    """Mean score over the sound tasks: method, kind, state, mean, and how many tasks it is over."""
    grouped = sound(results).groupby(OWNER, sort=False)["mean"]
    return grouped.agg(mean="mean", tasks="count").reset_index()
