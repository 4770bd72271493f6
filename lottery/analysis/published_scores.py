"""The authors' published scores, shown next to ours; published/README.md names their source."""

from pathlib import Path

import pandas as pd

from lottery.errors import MALFORMED, UserError
from lottery.vocabulary import TICKET_STATE

COLUMNS = ["task", *TICKET_STATE, "metric", "mean", "std"]


def read(path: Path) -> pd.DataFrame:
    """Mean and std (ddof 1) over the authors' five seeds: one row per task, method, kind and state.

    They are scores on GLUE's development sets, on which the authors also chose their subnetworks. Raises UserError
    if the file is missing or is another table.
    """
    try:
        table = pd.read_csv(path)
    except MALFORMED as error:
        raise UserError(f"{path}: not a readable table: {error}") from None
    if list(table.columns) != COLUMNS or table.duplicated(["task", *TICKET_STATE]).any():
        raise UserError(
            f"{path}: expected one row per {', '.join(COLUMNS[:4])} with metric, mean, std"
        )
    return table


def above_majority(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores of the tasks whose full model beats the majority class: all but WNLI."""
    baselines = scores[scores["method"] == "full"].pivot(
        index="task", columns="kind", values="mean"
    )
    sound_tasks = baselines.index[baselines["full"] > baselines["majority"]]
    return scores[scores["task"].isin(sound_tasks)]


def averages(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean score over the tasks above the majority class: method, kind, state, mean, and the number of tasks.

    `share` is the mean of the corrected scores, by the mean full model of each task.
    """
    sound = above_majority(scores)
    baselines = sound[sound["method"] == "full"].pivot(index="task", columns="kind", values="mean")
    room = baselines["full"] - baselines["majority"]
    guess = sound["task"].map(baselines["majority"])
    corrected = sound.assign(share=(sound["mean"] - guess) / sound["task"].map(room))
    grouped = corrected.groupby(TICKET_STATE, sort=False)
    return grouped.agg(
        mean=("mean", "mean"), share=("share", "mean"), tasks=("mean", "count")
    ).reset_index()
