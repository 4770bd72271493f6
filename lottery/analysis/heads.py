"""Heads as units of sampling: do those that survive with more seeds show more heterogeneous attention?

Two instruments say how often a head's attention is heterogeneous, i.e. potentially meaningful: the classifier
(`heterogeneous`) and the rule (`rule`), both as a share of its normed maps.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import NDArray

from lottery.analysis.estimate import UNTESTED, Effect, Estimate
from lottery.analysis.frames import stacked
from lottery.analysis.strata import NOISE_FLOOR, equivalence
from lottery.ticket import Ticket
from lottery.tickets.methods import STRUCTURED

INSTRUMENTS = ("heterogeneous", "rule")
SUMMARY = ["task", "quantity", "mean", "variance", "n"]
COLUMNS = ["task", "seed", "layer", "index", "kept", *INSTRUMENTS]


def measure(profiles: pd.DataFrame, tickets: Sequence[Ticket]) -> pd.DataFrame:
    """One row per head of each cell that has an s-pruned ticket: whether it is kept (0 or 1), and both shares.

    The shares are those of the cell's fine-tuned model.
    """
    normed = profiles[(profiles["state"] == "finetuned") & (profiles["weighting"] == "normed")]
    kept = [
        (ticket.task, ticket.seed, layer, index, float(kept))
        for ticket in tickets
        if ticket.method == STRUCTURED.name
        for (layer, index), kept in np.ndenumerate(ticket.subnetwork["heads"])
    ]
    frame = pd.DataFrame(kept, columns=COLUMNS[:5]).astype({"seed": "float64"})
    heads = normed.astype({"seed": "float64"}).merge(frame, on=COLUMNS[:4])
    return heads[COLUMNS].astype({"seed": "int64"})


def slope(heads: pd.DataFrame, instrument: str, margin: float) -> Estimate:
    """Difference of the share between heads that every seed keeps and heads that none keeps, within layers.

    It is the slope of a regression on the share of seeds that keep the head, with an intercept for each layer of each
    task; errors are clustered by head, whose values in several tasks are not independent. Equivalence to 0 by two
    one-sided tests.
    """
    if heads.empty:
        return UNTESTED
    key = ["task", "layer", "index"]
    means = heads.groupby(key, as_index=False)[["kept", instrument]].mean()
    if not _centred(means, "kept").std() > 0:
        return UNTESTED
    layers = pd.get_dummies(means["task"] + " " + means["layer"].astype(str), dtype=float)
    design = pd.concat([means["kept"], layers], axis=1)
    cluster = pd.factorize(means["layer"].astype(str) + "." + means["index"].astype(str))[0]
    fit = sm.OLS(means[instrument], design).fit(
        cov_type="cluster", cov_kwds={"groups": cluster}, use_t=True
    )
    cells = heads[["task", "seed"]].drop_duplicates()
    estimate = equivalence(
        float(fit.params["kept"]), max(float(fit.bse["kept"]), NOISE_FLOOR), cluster.max(), margin
    )
    return replace(
        estimate,
        cells=len(cells),
        tasks=cells["task"].nunique(),
        by_cell=[
            Effect(str(task), int(str(seed)), _slope(of_cell, instrument))
            for (task, seed), of_cell in heads.groupby(["task", "seed"], sort=False)
        ],
    )


def _slope(heads: pd.DataFrame, instrument: str) -> float:
    x, y = (_centred(heads, column) for column in ("kept", instrument))
    size = float((x**2).sum())
    return float((x * y).sum()) / size if size > 0 else float("nan")


def _centred(heads: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Differences from the mean of the layer."""
    means = heads.groupby(["task", "layer"])[column].transform("mean")
    return (heads[column] - means).to_numpy(np.float64)


def unstable(tickets: Sequence[Ticket]) -> pd.DataFrame:
    """`unstable heads` of every task, whose replicates are heads: 1 for a head that only some of the seeds keep."""
    structured = [ticket for ticket in tickets if ticket.method == STRUCTURED.name]
    rows = []
    for task in dict.fromkeys(ticket.task for ticket in structured):
        kept_SLH = [t.subnetwork["heads"] for t in structured if t.task == task]
        if len(kept_SLH) > 1:
            share_LH = np.mean(kept_SLH, axis=0)
            mixed_C = ((share_LH > 0) & (share_LH < 1)).ravel().astype(np.float64)
            rows.append((task, "unstable heads", mixed_C.mean(), mixed_C.var(ddof=1), mixed_C.size))
    return pd.DataFrame(rows, columns=SUMMARY)


def super_survivors(heads: pd.DataFrame) -> pd.DataFrame:
    """`super <instrument>` of every task, whose replicates are heads: shares of those that every seed keeps."""
    key = ["task", "layer", "index"]
    means = heads.groupby(key, as_index=False)[["kept", *INSTRUMENTS]].mean()
    of_tasks = means[means["kept"] == 1].groupby("task", sort=False)
    frames = [
        of_tasks[name]
        .agg(mean="mean", variance="var", n="count")
        .reset_index()
        .assign(quantity=f"super {name}")
        for name in INSTRUMENTS
    ]
    return stacked(frames)[SUMMARY]
