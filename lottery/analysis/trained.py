"""Scores of trained masks as the analysis of rewinding and of transfer reads them."""

import pandas as pd

from lottery.analysis.columns import CELL
from lottery.analysis.frames import is_reported
from lottery.metrics import CORRELATIONS


def of_sound_cells(scores: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """The rows of sound cells: `cells` says of each task and seed whether it is one."""
    return scores.merge(cells.loc[cells["sound"], CELL].drop_duplicates(), on=CELL)


def first_metric(scores: pd.DataFrame) -> pd.DataFrame:
    """The rows of the first metric of each task on dev.

    A mask without a correlation, because it predicts a constant, counts as a guess, which has 0.
    """
    reported = scores[is_reported(scores)]
    constant = reported["value"].isna() & reported["metric"].isin(list(CORRELATIONS))
    return reported.assign(value=reported["value"].mask(constant, 0.0))
