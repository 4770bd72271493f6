"""The chance-corrected scale: 0 is the majority class, 1 is the full model of the same seed, on the same split."""

import numpy as np
import pandas as pd

from lottery.metrics import CORRELATIONS

KEY = ["task", "seed", "split", "metric"]


def corrected(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores with the columns guess, full and share = (value - guess) / (full - guess).

    The guess is the score of the majority class, and 0 for a correlation, which constant predictions do not have: a
    ticket without a correlation counts as a guess. NaN where the full model does not beat the guess.
    """
    constant = scores["metric"].isin(list(CORRELATIONS))
    frame = scores.join(_baseline(scores, "majority", "guess"), on=KEY).join(
        _baseline(scores, "full", "full"), on=KEY
    )
    frame["guess"] = frame["guess"].where(~constant, 0.0)
    value = frame["value"].where(frame["value"].notna() | ~constant, frame["guess"])
    room = frame["full"] - frame["guess"]
    frame["share"] = ((value - frame["guess"]) / room).where(room > 0, np.nan)
    return frame


def _baseline(scores: pd.DataFrame, kind: str, name: str) -> "pd.Series[float]":
    of_kind = scores[(scores["kind"] == kind) & (scores["state"] == "finetuned")]
    return of_kind.set_index(KEY)["value"].rename(name)
