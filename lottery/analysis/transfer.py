"""Gain of masks over random ones of their size, by the task that they come from and the one that is trained."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from lottery.analysis.columns import CELL
from lottery.analysis.frames import of_cells, spread
from lottery.analysis.strata import Mean, mean_of_cells
from lottery.analysis.trained import first_metric, of_sound_cells
from lottery.grid import GridParameters
from lottery.tickets.methods import METHODS
from lottery.tickets.transfer import OTHERS, PRETRAINED, TransferParameters, TransferScore

MASK = ["method", "source"]
ORIGINS: Mapping[str, str] = {
    "own": "the task itself",
    "another": "another task",
    OTHERS: "what most other tasks keep",
    PRETRAINED: "the pre-trained weights",
}
"""Sources of masks, in words."""


def gather(grid: GridParameters, transfer: TransferParameters, scores: Path) -> pd.DataFrame:
    """The scores of all cells on which masks of other tasks were trained; empty if there are none.

    Raises UserError if a file is missing or belongs to another cell.
    """
    return of_cells(TransferScore, transfer.cells(grid), scores, "transfer.parquet")


def tables(scores: pd.DataFrame, cells: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables of transfer to sound cells; none if nothing was transferred."""
    if scores.empty:
        return {}
    gains = by_cell(of_sound_cells(scores, cells))
    return {"transfer": by_pair(gains), "transfer-means": by_origin(gains)}


def by_cell(scores: pd.DataFrame) -> pd.DataFrame:
    """Gain of every mask over the random one of its size in each cell, in the first metric of the task on dev."""
    reported = first_metric(scores)
    mask, random = (
        reported[reported["kind"] == kind].set_index([*MASK, *CELL]) for kind in ("mask", "random")
    )
    columns = {"value": mask["value"] - random["value"], "score": mask["value"]}
    return pd.DataFrame(
        {**columns, "random": random["value"], "sparsity": mask["sparsity"]}
    ).reset_index()


def by_pair(gains: pd.DataFrame) -> pd.DataFrame:
    """Mean gain over seeds with its interval, by method, source and task; and mean scores and sparsity."""
    by = [*MASK, "task"]
    means = gains.groupby(by)[["score", "random", "sparsity"]].mean()
    frame = spread(gains, by).join(means, on=by)
    places = {name: rank for rank, name in enumerate(METHODS)}
    return frame.sort_values("method", key=lambda names: names.map(places), kind="stable")


def origins(gains: pd.DataFrame) -> "pd.Series[str]":
    """The key of ORIGINS of each row's source."""
    origin = gains["source"].where(gains["source"].isin(list(ORIGINS)), "another")
    return origin.mask(gains["source"] == gains["task"], "own")


def by_origin(gains: pd.DataFrame) -> pd.DataFrame:
    """Mean gain over tasks, by method and origin: the task itself, another one, or none; with its 95 % interval.

    Other tasks are averaged within their cell first: seeds are the replicates (docs/evidence.md).
    """
    origin = origins(gains)
    rows = []
    for method in METHODS:
        for name in ORIGINS:
            of_origin = gains[(gains["method"] == method) & (origin == name)]
            if of_origin.empty:
                continue
            mean = mean_of_cells(of_origin.groupby(CELL)["value"].mean())
            rows.append((method, name, *mean))
    return pd.DataFrame(rows, columns=["method", "origin", *Mean._fields])


def titles(tasks: Mapping[str, str], sources: Sequence[str]) -> dict[str, str]:
    """The title of each source: that of a task, or the words of ORIGINS."""
    return {source: tasks.get(source) or ORIGINS[source] for source in sources}
