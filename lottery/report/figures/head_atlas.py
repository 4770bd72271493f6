"""Figure of heads: a small picture of the attention of every head, framed by its survival."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from lottery.analysis.frames import rows
from lottery.errors import MALFORMED, UserError
from lottery.report.figures.style import BLUE, GREY, ORANGE, bare, styled

GAP = 4
"""Pixels of the pictures between two heads."""


def load(path: Path) -> NDArray[np.uint8]:
    """Pictures [L, H, X, X]. Raises UserError if the file holds none."""
    try:
        pictures: NDArray[np.uint8] = load_file(path)["pictures"]
    except (SafetensorError, *MALFORMED) as error:
        raise UserError(f"{path}: no pictures of heads: {error}; run the pipeline again") from None
    return pictures


@styled
def atlas(pictures_LHXX: NDArray[np.uint8], survival: pd.DataFrame, title: str) -> Figure:
    """Heads [layer, head] as pictures, dark is high; `survival` has the mean over seeds for each head of one task.

    Thick frames: kept by every seed; thin: by some; dashed: by none.
    """
    layers, heads, side, _ = pictures_LHXX.shape
    pitch = side + 2 * GAP
    sheet = np.zeros((layers * pitch, heads * pitch), np.uint8)
    for layer, head in np.ndindex(layers, heads):
        top, left = layer * pitch + GAP, head * pitch + GAP
        sheet[top : top + side, left : left + side] = pictures_LHXX[layer, head]
    inches = max(0.52, 4.5 / heads)
    size = (heads * inches + 0.5, layers * inches + 0.95)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.imshow(sheet, cmap="Greys", vmin=0, vmax=255, interpolation="nearest")
    for head in rows(survival):
        corner = (int(head.index) * pitch, int(head.layer) * pitch)
        axes.add_patch(_frame(corner, side, float(head.mean)))
    axes.set_title(title)
    _labels(axes, pitch, layers, heads)
    _legend(figure, heads)
    return figure


# Line width, line style and colour of the frame of a head that all, some or no seeds keep.
ALL = (2.4, "-", BLUE)
SOME = (0.8, "-", GREY)
NONE = (1.1, (0, (2, 2)), ORANGE)


def _frame(corner: tuple[int, int], side: int, share: float) -> Rectangle:
    width, style, colour = ALL if share == 1 else NONE if share == 0 else SOME
    left, top = (at + GAP - 2.5 for at in corner)
    return Rectangle((left, top), side + 4, side + 4, fill=False, lw=width, ls=style, ec=colour)


def _labels(axes: Axes, pitch: int, layers: int, heads: int) -> None:
    axes.set_xticks((np.arange(heads) + 0.5) * pitch - 0.5, [str(at + 1) for at in range(heads)])
    axes.set_yticks((np.arange(layers) + 0.5) * pitch - 0.5, [str(at + 1) for at in range(layers)])
    axes.set_xlabel("head")
    axes.set_ylabel("layer")
    axes.tick_params(labelsize=8)
    bare(axes)


def _legend(figure: Figure, heads: int) -> None:
    frames = {"every seed keeps it": ALL, "some seeds": SOME, "no seed": NONE}
    handles = [
        Patch(fill=False, lw=width, ls=style, ec=colour, label=name)
        for name, (width, style, colour) in frames.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncol=3 if heads > 4 else 1)
