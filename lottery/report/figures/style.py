"""The style of all figures: palette, panels in rows, PNG bytes that depend on the numbers alone.

For a white page, for greyscale and for colour-blind readers: colours are Okabe and Ito's, and whatever a colour says,
a marker or a line style says too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from io import BytesIO
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import PercentFormatter
from PIL import Image

from lottery.vocabulary import METRICS

P = ParamSpec("P")

BLUE, ORANGE, GREY, INK = "#0072B2", "#D55E00", "#8A8A8A", "#222222"
GREEN, PURPLE = "#009E73", "#CC79A7"
DASHES, DOTS = (0, (6, 3)), (0, (1, 2))


@dataclass(frozen=True)
class Look:
    """The colour, line style and marker of one pruning method."""

    colour: str
    line: Any
    marker: str


PALETTE = (
    Look(BLUE, "-", "o"),
    Look(ORANGE, (0, (5, 1.5)), "s"),
    Look(GREEN, (0, (1, 1.2)), "D"),
    Look(PURPLE, (0, (5, 1.5, 1, 1.5)), "^"),
)
"""Looks of the pruning methods, in the order of the methods."""
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "axes.labelcolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.7,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


def save(figure: Figure, path: Path) -> None:
    """A PNG of at most 256 colours, a third of the size of a full one, without date or version in it."""
    drawn = BytesIO()
    figure.savefig(drawn, dpi=140, bbox_inches="tight", pad_inches=0.1)
    with Image.open(drawn) as image:
        few = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(path, format="PNG", optimize=True)


def panels(count: int, width: float, height: float, columns: int = 0) -> tuple[Figure, list[Axes]]:
    """A figure with `count` panels of width x height inches, in rows of at most `columns`.

    Raises ValueError if there are none: who draws a figure knows that it shows something.
    """
    if not count:
        raise ValueError("a figure without panels")
    columns = min(count, columns or (3 if count != 4 else 2))
    rows = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * rows + 0.45), layout="constrained")
    return figure, filled(figure, count, columns)


def filled(place: FigureBase, count: int, columns: int) -> list[Axes]:
    """`count` panels in rows of `columns`, the last row possibly shorter."""
    grid: list[Axes] = place.subplots(-(-count // columns), columns, squeeze=False).ravel().tolist()
    for spare in grid[count:]:
        spare.remove()
    return grid[:count]


def trajectory(axes: Axes, title: str, metric: str) -> None:
    """Title and labels of a panel that shows a score against sparsity."""
    axes.set_title(title)
    axes.set_ylabel(AXIS.get(metric, METRICS[metric]))
    axes.set_xlabel("encoder weights removed")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))


AXIS = {"pearson_spearman": "Pearson/Spearman correlation"}
"""Metrics whose names are too long for an axis."""


def bare(axes: Axes) -> None:
    """No grid, no ticks, no frame: for matrices and pictures."""
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Make a function draw in this project's style, whatever the user's matplotlibrc says."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with mpl.rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn
