"""Scores of trained masks as the analysis of rewinding and of transfer reads them."""

import pandas as pd

from lottery.metrics import CORRELATIONS
from lottery.tasks import get_task


def first_metric(scores: pd.DataFrame) -> pd.DataFrame:
    """The rows of the first metric of each task on dev.

    A mask without a correlation, because it predicts a constant, counts as a guess, which has 0.
    """
    first = {task: get_task(str(task)).metrics[0] for task in scores["task"].unique()}
    reported = scores[(scores["split"] == "dev") & (scores["metric"] == scores["task"].map(first))]
    constant = reported["value"].isna() & reported["metric"].isin(list(CORRELATIONS))
    return reported.assign(value=reported["value"].mask(constant, 0.0))
