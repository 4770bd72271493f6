"""What every figure is drawn on: one style, panels in rows, PNG bytes that depend on the numbers alone.

For a white page, for greyscale and for every eye: colours are Okabe and Ito's, and whatever a colour says,
a marker or a line style says too.
"""

from collections.abc import Callable
from functools import wraps
from io import BytesIO
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from PIL import Image

P = ParamSpec("P")

BLUE, ORANGE, GREY, INK = "#0072B2", "#D55E00", "#8A8A8A", "#222222"
COLOUR = {"structured": BLUE, "magnitude": ORANGE, "pruned": ORANGE, "retrained": BLUE}
LINE = {"structured": "-", "magnitude": (0, (5, 1.5))}
MARKER = {"structured": "o", "magnitude": "s", "pruned": "o", "retrained": "D"}
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
    """A figure with `count` panels of width x height inches, in rows of at most `columns`."""
    columns = min(count, columns or (3 if count != 4 else 2))
    rows = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * rows + 0.45), layout="constrained")
    return figure, filled(figure, count, columns)


def filled(place: FigureBase, count: int, columns: int) -> list[Axes]:
    """`count` panels in rows of `columns`, the last row as long as it gets."""
    grid: list[Axes] = place.subplots(-(-count // columns), columns, squeeze=False).ravel().tolist()
    for spare in grid[count:]:
        spare.remove()
    return grid[:count]


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """A function that draws, in this project's style whatever the user's matplotlibrc says."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with mpl.rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn
