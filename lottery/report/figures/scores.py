"""Figure of scores: every cell's good, random and bad subnetworks as points, pruned and retrained."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lottery.analysis.frames import rows
from lottery.report.figures.style import BLUE, DOTS, INK, ORANGE, panels, styled
from lottery.tickets.methods import METHODS
from lottery.vocabulary import GOOD_AND_CONTROLS

STATES: Mapping[str, tuple[str, str, str]] = {
    "pruned": (ORANGE, "white", "o"),
    "retrained": (BLUE, BLUE, "D"),
}
"""Colour, fill and marker of each state."""
GROUP = 3.6
"""Width of the group of one method, whose kinds are one apart."""


@styled
def score_panels(cells: pd.DataFrame, tasks: pd.DataFrame) -> Figure:
    """Chance-corrected scores of good, random and bad subnetworks, pruned and retrained: a panel per task.

    A point is a seed, whose draws are averaged; a bar is the mean over seeds.
    """
    shown = cells[
        cells["reported"] & cells["usable"] & cells["matched"].isna() & cells["share"].notna()
    ]
    figure, grid = panels(len(tasks), 1.9 * len(METHODS), 2.75)
    for axes, task in zip(grid, rows(tasks), strict=True):
        _panel(axes, shown[shown["task"] == task.task])
        axes.set_title(task.title)
        axes.set_ylabel("score r")
    handles, names = grid[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncol=4 if len(tasks) > 1 else 2)
    return figure


def _panel(axes: Axes, cells: pd.DataFrame) -> None:
    places = {
        (method, kind): at + GROUP * place
        for place, method in enumerate(METHODS)
        for at, kind in enumerate(GOOD_AND_CONTROLS)
    }
    for shift, state in zip((-0.17, 0.17), STATES, strict=True):
        _points(
            axes,
            cells[cells["state"] == state],
            {key: x + shift for key, x in places.items()},
            state,
        )
    axes.axhline(1, color=INK, lw=0.9, label="full model")
    axes.axhline(0, color=INK, lw=1.0, ls=DOTS, label="guessing")
    axes.set_xticks(list(places.values()), [kind for _, kind in places])
    axes.grid(axis="x", visible=False)
    for place, method in enumerate(METHODS.values()):
        if place:
            axes.axvline(GROUP * place - 0.8, color="#CCCCCC", lw=0.8)
        axes.annotate(
            method.title, (1 + GROUP * place, -0.13), xycoords=("data", "axes fraction"),
            ha="center", va="top", color="#444444", style="italic", annotation_clip=False,
        )  # fmt: skip


def _points(
    axes: Axes, cells: pd.DataFrame, places: Mapping[tuple[str, str], float], state: str
) -> None:
    colour, fill, marker = STATES[state]
    owners = zip(cells["method"], cells["kind"], cells["share"], strict=True)
    points = [
        (places[method, kind], share) for method, kind, share in owners if (method, kind) in places
    ]
    x, y = np.array(points, float).reshape(-1, 2).T
    axes.plot(
        x, y, marker, color=colour, mfc=fill, ms=4.5, mew=1.2, ls="none", label=f"{state}, a seed"
    )
    for place in np.unique(x):
        mean = y[x == place].mean()
        axes.plot([place - 0.15, place + 0.15], [mean, mean], color=colour, lw=1.4, zorder=1)
