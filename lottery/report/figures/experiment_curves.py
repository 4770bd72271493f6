"""Figure of several experiments: the trajectories of their searches."""

from collections.abc import Sequence
from itertools import cycle

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from lottery.analysis.frames import rows
from lottery.report.figures.style import INK, PALETTE, panels, styled, trajectory
from lottery.tickets.methods import METHODS


@styled
def overlay(trajectories: pd.DataFrame, tasks: pd.DataFrame, runs: Sequence[str]) -> Figure:
    """Mean score on the data of the search against sparsity: a panel per task and method, a line per run.

    The first of `runs` is the baseline, black and thick; the others go from dark to light in their order.
    Markers are the mean place of the chosen subnetworks.
    """
    looks = list(zip(METHODS.values(), cycle(PALETTE), strict=False))
    shown = [(task, method, look) for task in rows(tasks) for method, look in looks]
    figure, grid = panels(len(shown), 3.7, 2.6, 2)
    colours = mpl.colormaps["viridis"]
    shades = [INK, *(colours(0.9 * at / max(1, len(runs) - 2)) for at in range(len(runs) - 1))]
    for axes, (task, method, look) in zip(grid, shown, strict=True):
        panel = trajectories[
            (trajectories["task"] == task.task) & (trajectories["method"] == method.name)
        ]
        for at, (run, shade) in enumerate(zip(runs, shades, strict=True)):
            steps = panel[panel["run"] == run]
            line, chosen = steps[steps["step"] >= 0], steps[steps["step"] < 0]
            axes.plot(
                line["sparsity"], line["score"], color=shade, lw=1.3 if at else 2.2, label=run,
                ls=LINES[at % len(LINES)], zorder=2 if at else 3,
            )  # fmt: skip
            axes.plot(
                chosen["sparsity"], chosen["score"], look.marker, color=shade, ms=6 if at else 8,
                markeredgecolor="white", markeredgewidth=0.9, zorder=5, ls="none",
            )  # fmt: skip
        trajectory(axes, f"{task.title}: {method.title}", task.search_metric)
    handles, names = grid[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncol=3, handlelength=3)
    return figure


LINES = [look.line for look in PALETTE]
"""Line styles that tell runs apart without their colours."""
