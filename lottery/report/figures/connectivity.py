"""Figure of connectivity: the score on the line between two trainings of each ticket."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lottery.analysis.frames import rows
from lottery.report.figures.fan import FLOOR, MARKS
from lottery.report.figures.learning_curves import LINES
from lottery.report.figures.style import DOTS, INK, panels, styled
from lottery.tickets.methods import METHODS, method_title
from lottery.vocabulary import WHOLE


@styled
def connectivity_panels(path: pd.DataFrame, tasks: pd.DataFrame) -> Figure:
    """Corrected score against the position on the line, a panel for each task and method: mean and range over seeds.

    The full model is in all panels, and has its own where no other ticket is shown.
    """
    methods = [name for name in METHODS if name in set(path["method"])] or [WHOLE]
    shown = [
        (task, method, of_panel)
        for method in methods
        for task in rows(tasks)
        if len(of_panel := path[(path["task"] == task.task) & (path["method"] == method)])
    ]
    figure, grid = panels(len(shown), 3.2, 2.6, path["task"].nunique())
    low = max(FLOOR, min(-0.05, path["lowest"].min() - 0.05))
    for axes, (task, method, of_panel) in zip(grid, shown, strict=True):
        full = path[(path["task"] == task.task) & (path["method"] == WHOLE)]
        _line(axes, full, "full model", INK, "-")
        for kind, mark in MARKS.items():
            _line(axes, of_panel[of_panel["kind"] == kind], kind, mark.colour, LINES[kind])
        axes.axhline(0, color=INK, lw=1.0, ls=DOTS, label="guessing")
        axes.set_title(": ".join(filter(None, (task.title, method_title(method)))))
        axes.set_ylabel("score r")
        axes.set_xlabel("from the first training to the second")
        axes.set_ylim(low, max(1.05, path["highest"].max() + 0.05))
    handles = {
        name: handle
        for axes in grid
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend([*handles.values()], [*handles], loc="outside lower center", ncol=5)
    return figure


def _line(axes: Axes, path: pd.DataFrame, label: str, colour: str, dashes: object) -> None:
    if path.empty:
        return
    at = path["position"]
    axes.fill_between(at, path["lowest"], path["highest"], color=colour, alpha=0.15, lw=0)
    axes.plot(at, path["mean"], color=colour, lw=1.6, ls=dashes, label=label)
