"""Figure of the searches' trajectories: score on the data of the search against sparsity."""

from itertools import cycle

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lottery.analysis.frames import rows
from lottery.analysis.score_tables import first_phase
from lottery.report.figures.style import (
    DASHES,
    DOTS,
    INK,
    PALETTE,
    Look,
    panels,
    styled,
    trajectory,
)
from lottery.tickets.methods import METHODS


@styled
def search_curves(steps: pd.DataFrame, tasks: pd.DataFrame) -> Figure:
    """Score on the data of the search against sparsity, a panel per task.

    Thin lines are seeds; thick lines are their mean over the steps that all of them took; filled markers are the
    chosen subnetworks; dashes mark the threshold, dots the majority class on the same data.
    """
    figure, grid = panels(len(tasks), 3.4, 2.75)
    for axes, task in zip(grid, rows(tasks), strict=True):
        of_task = steps[steps["task"] == task.task]
        for method, look in zip(METHODS.values(), cycle(PALETTE), strict=False):
            _curve(axes, of_task[of_task["method"] == method.name], method.title, look)
        threshold = of_task.drop_duplicates("seed")["threshold"].mean()
        axes.axhline(threshold, color=INK, lw=0.9, ls=DASHES)
        guess = of_task["guess"].mean()
        if not pd.isna(guess):
            axes.axhline(guess, color=INK, lw=1.0, ls=DOTS)
        trajectory(axes, task.title, task.search_metric)
        axes.set_xlim(-0.02, max(0.5, min(1.0, of_task["sparsity"].max())) + 0.02)
    _legend(figure, grid[0])
    return figure


def _curve(axes: Axes, steps: pd.DataFrame, title: str, look: Look) -> None:
    main = first_phase(steps)
    for _, seed in main.groupby("seed"):
        axes.plot(seed["sparsity"], seed["score"], color=look.colour, lw=0.7, alpha=0.45)
    means = main.groupby("step")[["sparsity", "score"]].mean()
    common = means[main.groupby("step")["seed"].nunique() == main["seed"].nunique()]
    axes.plot(
        common["sparsity"], common["score"], color=look.colour, lw=2, ls=look.line, label=title
    )
    chosen = steps[steps["chosen"]]
    axes.plot(
        chosen["sparsity"], chosen["score"], look.marker, color=look.colour, ms=7,
        markeredgecolor="white", markeredgewidth=0.9, zorder=5, ls="none", label=f"chosen, {title}",
    )  # fmt: skip


def _legend(figure: Figure, axes: Axes) -> None:
    axes.plot([], [], color=INK, lw=0.9, ls=DASHES, label="score to keep")
    axes.plot([], [], color=INK, lw=1.0, ls=DOTS, label="majority class")
    handles, names = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        names,
        loc="outside lower center",
        ncol=2 * min(len(figure.axes), 3),
        handlelength=2.4,
        columnspacing=1.4,
    )
