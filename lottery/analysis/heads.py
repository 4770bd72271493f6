"""Heads of an encoder: do those that survive show more heterogeneous attention than others of their layer?

Two instruments say how often a head's attention is heterogeneous, i.e. potentially meaningful: the classifier
(`heterogeneous`) and the rule (`rule`), both as a share of its normed maps.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lottery.analysis.columns import CELL
from lottery.analysis.frames import stacked
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


def slopes(heads: pd.DataFrame) -> pd.DataFrame:
    """`slope <instrument>` of every cell: mean difference of the share between kept and pruned heads of a layer.

    It is the slope of a regression on survival with an intercept for each layer; NaN if no layer has heads of both
    kinds. The encoder and its heads are fixed, as in all claims: what varies over seeds is which heads survive.
    """
    rows = {
        cell: {f"slope {name}": _slope(of_cell, name) for name in INSTRUMENTS}
        for cell, of_cell in heads.groupby(CELL, sort=False)
    }
    index = pd.MultiIndex.from_tuples(list(rows), names=CELL)
    return pd.DataFrame(list(rows.values()), index)


def _slope(heads: pd.DataFrame, instrument: str) -> float:
    x, y = (_centred(heads, column) for column in ("kept", instrument))
    size = float((x**2).sum())
    return float((x * y).sum()) / size if size > 0 else float("nan")


def _centred(heads: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Differences from the mean of the layer."""
    means = heads.groupby("layer")[column].transform("mean")
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
