"""Figure of rewinding: scores of trained masks against the share of weights removed."""

from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lottery.analysis.frames import rows
from lottery.report.figures.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    panels,
    styled,
    trajectory,
)
from lottery.tickets.rewound import ONE_SHOT, PRETRAINED, RANDOM, REINITIALISED, REWOUND


@dataclass(frozen=True)
class Mark:
    """The look of the controls of one kind: label, colour, marker, and shift from their place, in sparsity."""

    label: str
    colour: str
    marker: str
    aside: float


MARKS = {
    ONE_SHOT.name: Mark("one-shot magnitude", ORANGE, "s", -0.012),
    PRETRAINED.name: Mark("pre-trained magnitude", GREEN, "D", 0.012),
    RANDOM.name: Mark("random", GREY, "o", -0.012),
    REINITIALISED.name: Mark("same mask, random weights", PURPLE, "^", 0.012),
}


@styled
def rewinding_panels(means: pd.DataFrame, tasks: pd.DataFrame) -> Figure:
    """A panel per task: the rounds of iterative pruning with their interval, and controls at their sparsities."""
    shown = tasks[tasks["task"].isin(means["task"])]
    figure, grid = panels(len(shown), 3.1, 2.7)
    for axes, task in zip(grid, rows(shown), strict=True):
        _panel(axes, means[means["task"] == task.task])
        trajectory(axes, task.title, task.metric)
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)
    return figure


def _panel(axes: Axes, means: pd.DataFrame) -> None:
    rounds = means[means["control"] == REWOUND].sort_values("sparsity")
    full = rounds[rounds["sparsity"] == 0]
    if len(full) and pd.notna(full["std"].iloc[0]):
        least = full["mean"].iloc[0] - full["std"].iloc[0]
        axes.axhline(least, color=INK, linewidth=0.9, linestyle=(0, (1, 2)), label="matches above")
    axes.fill_between(
        rounds["sparsity"], rounds["low"], rounds["high"], color=BLUE, alpha=0.15, linewidth=0
    )
    axes.plot(
        rounds["sparsity"], rounds["mean"], color=BLUE, marker="o", markersize=4, label="iterative"
    )
    for control, mark in MARKS.items():
        points = means[means["control"] == control]
        if len(points):
            axes.errorbar(
                points["sparsity"] + mark.aside,
                points["mean"],
                [points["mean"] - points["low"], points["high"] - points["mean"]],
                color=mark.colour, marker=mark.marker, markersize=5, linestyle="none", linewidth=1, label=mark.label,
            )  # fmt: skip
