"""Figure of transfer: what masks of each source gain on each task."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lottery.analysis.frames import rows
from lottery.analysis.transfer import titles
from lottery.report.figures.style import INK, bare, panels, styled
from lottery.tickets.methods import METHODS
from lottery.wording import number


@styled
def transfer_matrices(gains: pd.DataFrame, tasks: pd.DataFrame) -> Figure:
    """A matrix per method: the mean gain of masks of a source (row) on a task (column), and its interval."""
    names = dict(zip(tasks["task"], tasks["title"], strict=True))
    shown = [method for method in METHODS.values() if method.name in set(gains["method"])]
    columns = [task for task in names if task in set(gains["task"])]
    lines = gains.groupby("method")["source"].nunique().max()
    width, height = 1.15 * len(columns) + 1.9, 0.55 * float(lines) + 1.0
    figure, grid = panels(len(shown), width, height, 2)
    furthest = float(np.nanmax(np.abs([*gains["mean"], 0.01])))
    for axes, method in zip(grid, shown, strict=True):
        _matrix(axes, gains[gains["method"] == method.name], names, columns, furthest)
        axes.set_title(f"{method.title}: gain over random masks")
        axes.set_xlabel("trained on")
    grid[0].set_ylabel("mask of")
    return figure


def _matrix(
    axes: Axes,
    gains: pd.DataFrame,
    names: Mapping[str, str],
    columns: Sequence[str],
    furthest: float,
) -> None:
    sources = [*dict.fromkeys(gains["source"])]
    values = np.full((len(sources), len(columns)), np.nan)
    for row in rows(gains):
        place = sources.index(row.source), columns.index(row.task)
        values[place] = row.mean
        between = "" if pd.isna(row.low) else f"\n[{number(row.low, 2)}, {number(row.high, 2)}]"
        dark = abs(row.mean) > 0.62 * furthest
        axes.text(
            place[1], place[0], f"{number(row.mean, 2)}{between}", ha="center", va="center", fontsize=7.5,
            color="white" if dark else INK, weight="bold" if row.source == row.task else "normal",
        )  # fmt: skip
    axes.imshow(
        np.ma.masked_invalid(values), cmap="PuOr", vmin=-furthest, vmax=furthest, aspect="auto"
    )
    axes.set_xticks(range(len(columns)), [names[task] for task in columns], rotation=20, ha="right")
    axes.set_yticks(range(len(sources)), [*titles(names, sources).values()])
    bare(axes)
