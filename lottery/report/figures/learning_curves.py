"""Figure of learning curves: chance-corrected scores of retrained subnetworks against the length of training."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from lottery.analysis.frames import rows
from lottery.report.figures.fan import FLOOR, MARKS
from lottery.report.figures.style import DOTS, INK, panels, styled
from lottery.tickets.methods import METHODS
from lottery.vocabulary import GOOD_AND_CONTROLS

LINES: Mapping[str, Any] = {"good": "-", "random": (0, (5, 1.5)), "bad": (0, (1, 1.2))}
"""Line styles of the kinds, for readers who do not see their colours."""
SHIFTS: Mapping[str, float] = {"good": 2**-0.06, "random": 1.0, "bad": 2**0.06}
"""Factors by which the points of a kind are moved, so that those of kinds do not hide one another."""


@styled
def learning_curves(points: pd.DataFrame, tasks: pd.DataFrame) -> Figure:
    """Corrected score of retrained good, random and bad subnetworks against optimiser steps, on a logarithmic axis.

    A panel for each task and method of `points`; a point is a seed, a line joins the means over seeds.
    """
    retrained = points[points["kind"].isin(MARKS)]
    shown = [
        (task, method, of_panel)
        for task in rows(tasks)
        for method in METHODS.values()
        if len(of_panel := _of(retrained, task.task, method.name))
    ]
    figure, grid = panels(len(shown), 3.6, 2.75)
    low = min(-0.05, retrained["share"].clip(FLOOR).min() - 0.05)
    for axes, (task, method, of_panel) in zip(grid, shown, strict=True):
        _panel(axes, of_panel)
        axes.set_title(f"{task.title}: {method.title}")
        axes.set_ylabel("score r, retrained")
        axes.set_ylim(low, max(1.05, retrained["share"].max() + 0.05))
    handles, names = grid[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncol=5 if len(shown) > 1 else 3)
    return figure


def _of(points: pd.DataFrame, task: str, method: str) -> pd.DataFrame:
    return points[(points["task"] == task) & (points["method"] == method)]


def _panel(axes: Axes, points: pd.DataFrame) -> None:
    axes.axhline(1, color=INK, lw=0.9, label="full model")
    for layer, kind in zip((5, 4, 3), GOOD_AND_CONTROLS, strict=True):
        mark = MARKS[kind]
        of_kind = points[points["kind"] == kind]
        height = of_kind["share"].clip(FLOOR)
        axes.plot(
            of_kind["steps"] * SHIFTS[kind], height, mark.marker, ls="none", color=mark.colour,
            mec=mark.edge, mew=0.6, ms=4.5, alpha=0.6, zorder=layer,
        )  # fmt: skip
        mean = height.groupby(of_kind["steps"]).mean()
        axes.plot(
            mean.index * SHIFTS[kind],
            mean,
            color=mark.colour,
            lw=1.6,
            ls=LINES[kind],
            label=kind,
            zorder=layer,
        )
    axes.axhline(0, color=INK, lw=1.0, ls=DOTS, label="guessing")
    _length_axis(axes, points)


def _length_axis(axes: Axes, points: pd.DataFrame) -> None:
    """A tick at every length of training: its steps, and below them its examples."""
    examples = points.groupby("steps")["examples"].unique()
    axes.set_xscale("log", base=2)
    axes.xaxis.set_minor_locator(NullLocator())
    labels = [
        f"{steps:,}\n({' or '.join(f'{count:,}' for count in np.sort(counts))})"
        for steps, counts in examples.items()
    ]
    axes.set_xticks(examples.index.to_list(), labels)
    axes.set_xlabel("optimiser steps (training examples)")
