"""Figure of scores: good, random and bad subnetworks, pruned and retrained."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lottery.analysis.frames import rows
from lottery.report.figures.style import BLUE, DOTS, GREY, INK, ORANGE, panels, styled
from lottery.tickets.methods import METHODS
from lottery.vocabulary import GOOD_AND_CONTROLS, METRICS

STATES: Mapping[str, tuple[str, str, str]] = {
    "pruned": (ORANGE, "white", "o"),
    "retrained": (BLUE, BLUE, "D"),
}
"""Colour, fill and marker of each state."""
GROUP = 3.6
"""Width of the group of one method, whose kinds are one apart."""


@styled
def score_panels(results: pd.DataFrame, averages: pd.DataFrame, tasks: pd.DataFrame) -> Figure:
    """Good, random and bad subnetworks of every pruning method, pruned and retrained, with 95 % intervals.

    A panel per task and one for the mean over tasks; the full model is a line, the majority class dots.
    """
    means = averages[averages["scope"] == "sound"]
    groups = [
        (
            task.title + (" (degenerate)" if task.degenerate else ""),
            METRICS[task.metric],
            results[(results["task"] == task.task) & results["reported"]],
        )
        for task in rows(tasks)
    ]
    if len(tasks) > 1 and len(means):
        groups.append((f"Mean of {means['tasks'].iloc[0]} tasks", "mean of the metrics", means))
    figure, grid = panels(len(groups), 1.95 * len(METHODS), 2.75)
    for axes, (title, metric, group) in zip(grid, groups, strict=True):
        _panel(axes, group)
        axes.set_title(title)
        axes.set_ylabel(metric)
    handles, names = grid[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncol=4 if len(groups) > 1 else 2)
    return figure


def _panel(axes: Axes, group: pd.DataFrame) -> None:
    places = {
        (method, kind): at + GROUP * place
        for place, method in enumerate(METHODS)
        for at, kind in enumerate(GOOD_AND_CONTROLS)
    }
    _estimates(axes, group, places)
    _baselines(axes, group)
    axes.set_xticks(list(places.values()), [kind for _, kind in places])
    axes.grid(axis="x", visible=False)
    for place, method in enumerate(METHODS.values()):
        if place:
            axes.axvline(GROUP * place - 0.8, color="#CCCCCC", lw=0.8)
        axes.annotate(
            method.title, (1 + GROUP * place, -0.17), xycoords=("data", "axes fraction"),
            ha="center", va="top", color="#444444", style="italic", annotation_clip=False,
        )  # fmt: skip


def _estimates(axes: Axes, group: pd.DataFrame, places: Mapping[Any, float]) -> None:
    for shift, (state, (colour, fill, marker)) in zip((-0.16, 0.16), STATES.items(), strict=True):
        points = [
            (places[row.method, row.kind] + shift, row.mean, row.low, row.high)
            for row in rows(group[group["state"] == state])
            if (row.method, row.kind) in places
        ]
        x, mean, low, high = np.array(points, float).reshape(-1, 4).T
        axes.errorbar(
            x, mean, np.nan_to_num([mean - low, high - mean]), fmt=marker, color=colour, mfc=fill,
            ms=6, mew=1.5, lw=1.3, capsize=3, label=f"{state}, mean and 95 % interval",
        )  # fmt: skip


def _baselines(axes: Axes, group: pd.DataFrame) -> None:
    for kind, colour, dashes, label in (
        ("full", GREY, "-", "full model"),
        ("majority", INK, DOTS, "majority class"),
    ):
        level = group.loc[group["kind"] == kind, "mean"]
        if len(level):
            axes.axhline(level.iloc[0], color=colour, lw=1.1, ls=dashes, label=label)
