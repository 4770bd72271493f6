"""Does the barrier between two trainings of a ticket predict how well it retrains?

The barrier is the linear interpolation instability of Frankle et al. (ICML 2020): the highest error on the
straight line between both results, less the mean error of its ends. Errors are 1 - r on the chance-corrected scale, so
that tasks can be compared; multiplied by `room` they are those of the task's metric.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from lottery.analysis.columns import CELL
from lottery.analysis.estimate import Scale
from lottery.analysis.frames import is_reported, of_cells, ordered, stacked
from lottery.analysis.scale import corrected
from lottery.analysis.strata import Mean, mean_of_cells
from lottery.grid import GridParameters
from lottery.metrics import spearman
from lottery.tickets.connectivity import ConnectivityParameters, ConnectivityScore
from lottery.tickets.methods import METHODS
from lottery.vocabulary import WHOLE

TICKET = ["method", "kind"]
LINE = [*CELL, *TICKET]
CORRELATION = Scale(-1, 1)
EVERY = "all"
"""The tickets of all methods together."""
FEWEST = 3
"""A cell with fewer tickets has no rank correlation."""


def gather(
    grid: GridParameters, connectivity: ConnectivityParameters, scores: Path
) -> pd.DataFrame:
    """The scores on the lines of all cells whose tickets are trained twice; empty if there are none.

    Raises UserError if a file is missing or belongs to another cell.
    """
    return of_cells(ConnectivityScore, connectivity.cells(grid), scores, "connectivity.parquet")


def tables(
    points: pd.DataFrame, scores: pd.DataFrame, cells: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """The tables of connectivity; none if nothing was trained twice.

    scores: of all tickets, whose baselines are the scale. cells: by cell and ticket, whether it is usable.
    """
    if points.empty:
        return {}
    tasks = [*dict.fromkeys(cells["task"])]
    on_scale = _corrected(points, scores)
    lines = ordered(barriers(on_scale).join(_usable(cells), on=LINE), tasks, LINE)
    usable = lines[lines["usable"].eq(True)]
    return {
        "connectivity": lines,
        "connectivity-path": path(on_scale, usable),
        "connectivity-means": means(usable),
        "connectivity-ranks": ranks(usable),
    }


def _corrected(points: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Points in the reported metric of their task, with the columns guess, full and share."""
    of_lines = points.assign(state="interpolated")
    frame = corrected(stacked([of_lines, scores[scores["state"] == "finetuned"]]))
    return frame[(frame["state"] == "interpolated") & is_reported(frame)]


def barriers(points: pd.DataFrame) -> pd.DataFrame:
    """One row per line: r at both ends, the lowest r and its position, the barrier, and the room of the scale."""
    rows = []
    for keys, of_line in points.groupby(LINE, sort=False):
        ordered_line = of_line.sort_values("position")
        share = ordered_line["share"].to_numpy(np.float64)
        first, last, lowest = share[0], share[-1], share.min()
        at = ordered_line["position"].iloc[int(share.argmin())]
        room = of_line["full"].iloc[0] - of_line["guess"].iloc[0]
        rows.append((*keys, first, last, lowest, at, (first + last) / 2 - lowest, room))
    return pd.DataFrame(rows, columns=[*LINE, "first", "second", "lowest", "at", "barrier", "room"])


def _usable(cells: pd.DataFrame) -> pd.DataFrame:
    """`usable` and `reason` of every ticket of the size of its search, by cell and ticket."""
    at_own_size = cells[cells["matched"].isna()]
    return at_own_size.drop_duplicates(LINE).set_index(LINE)[["usable", "reason"]]


def path(points: pd.DataFrame, usable: pd.DataFrame) -> pd.DataFrame:
    """Mean, lowest and highest r over seeds at each point, by task and ticket; usable tickets only."""
    chosen = points.join(usable.set_index(LINE)["barrier"], on=LINE).dropna(subset="barrier")
    by = ["task", *TICKET, "position"]
    return (
        chosen.groupby(by, sort=False)["share"]
        .agg(mean="mean", lowest="min", highest="max", n="count")
        .reset_index()
    )


def means(usable: pd.DataFrame) -> pd.DataFrame:
    """Mean barrier over tasks with its 95 % interval, cut at 0, and mean r of both trainings, by ticket."""
    rows = []
    for keys, of_ticket in usable.groupby(TICKET, sort=False):
        by_cell = of_ticket.set_index(CELL)
        barrier = mean_of_cells(by_cell["barrier"])
        cut = barrier._replace(low=np.maximum(barrier.low, 0))
        by_task = by_cell[["first", "second"]].groupby("task").mean().mean()
        rows.append((*keys, *cut, by_task["first"], by_task["second"]))
    columns = [*TICKET, *Mean._fields, "first", "second"]
    return pd.DataFrame(rows, columns=columns)


def ranks(usable: pd.DataFrame) -> pd.DataFrame:
    """Spearman correlation of barrier and r of the retrained ticket within cells: mean and 95 % interval over cells.

    Tasks and seeds differ in both, so tickets are ranked within their cell, and a cell is one value (docs/evidence.md).
    The rows are the tickets of all methods, and those of each; the full model is among them.
    """
    rows = []
    for name in (EVERY, *METHODS):
        chosen = usable[usable["method"].isin([WHOLE, *([*METHODS] if name == EVERY else [name])])]
        values = {
            cell: spearman(of_cell["barrier"].to_numpy(), of_cell["first"].to_numpy())
            for cell, of_cell in chosen.groupby(CELL, sort=False)
            if len(of_cell) >= FEWEST
        }
        if not values:
            continue
        index = pd.MultiIndex.from_tuples(list(values), names=CELL)
        mean = mean_of_cells(pd.Series(list(values.values()), index, dtype=float), CORRELATION)
        lines = int(chosen.groupby(CELL)["barrier"].count().loc[lambda n: n >= FEWEST].sum())
        rows.append((name, *mean, lines))
    return pd.DataFrame(rows, columns=["method", *Mean._fields, "tickets"])
