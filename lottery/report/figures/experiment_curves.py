"""The curves of several experiments in one figure."""

from collections.abc import Sequence

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from lottery.analysis.frames import rows
from lottery.report.figures.style import INK, MARKER, panels, styled
from lottery.tickets.methods import METHODS, method_title
from lottery.vocabulary import METRICS


@styled
def overlay(ways: pd.DataFrame, tasks: pd.DataFrame, runs: Sequence[str]) -> Figure:
    """Mean score on the selection data against sparsity: a panel per task and method, a line per run.

    The first of `runs` is the baseline, black and thick; the others go from dark to light in their order.
    Markers are the mean place of the chosen subnetworks.
    """
    wanted = [(known, method) for known in rows(tasks) for method in METHODS]
    figure, grid = panels(len(wanted), 3.7, 2.6, 2)
    colours = mpl.colormaps["viridis"]
    shades = [INK, *(colours(0.9 * at / max(1, len(runs) - 2)) for at in range(len(runs) - 1))]
    for axes, (known, method) in zip(grid, wanted, strict=True):
        panel = ways[(ways["task"] == known.task) & (ways["method"] == method)]
        for at, (run, shade) in enumerate(zip(runs, shades, strict=True)):
            own = panel[panel["run"] == run]
            line, chosen = own[own["step"] >= 0], own[own["step"] < 0]
            axes.plot(
                line["sparsity"], line["score"], color=shade, lw=1.3 if at else 2.2, label=run,
                ls=DASHES[at % len(DASHES)], zorder=2 if at else 3,
            )  # fmt: skip
            axes.plot(
                chosen["sparsity"], chosen["score"], MARKER[method], color=shade, ms=6 if at else 8,
                markeredgecolor="white", markeredgewidth=0.9, zorder=5, ls="none",
            )  # fmt: skip
        axes.set_title(f"{known.title}: {method_title(method)}")
        axes.set_ylabel(METRICS[known.search_metric].replace("mean of ", "").replace(" and ", "/"))
        axes.set_xlabel("encoder weights removed")
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    handles, names = grid[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncol=3, handlelength=3)
    return figure


DASHES = (
    "-",
    (0, (5, 1.5)),
    (0, (1, 1.2)),
    (0, (5, 1.5, 1, 1.5)),
)  # a line is known without its colour
