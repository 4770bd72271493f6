"""Tables, figures and sections as Markdown."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from tabulate import tabulate

from lottery.wording import NONE, number


def spread(row: Any, digits: int = 3, scale: float = 1.0) -> str:
    """Mean ± std, and the 95 % interval below it; n where it differs is the caption's business."""
    if pd.isna(row.mean):
        return NONE
    text = number(scale * row.mean, digits)
    if not pd.isna(row.std):
        low, high = (number(scale * end, digits) for end in (row.low, row.high))
        text += f" ± {number(scale * row.std, digits)}<br>[{low}, {high}]"
    return text


def table(caption: str, header: Sequence[str], body: Sequence[Sequence[str]], left: int = 1) -> str:
    """A captioned Markdown table, its first `left` columns to the left and the rest to the right."""
    align = ["left" if at < left else "right" for at in range(len(header))]
    text = tabulate(body, header, tablefmt="github", colalign=align, disable_numparse=True)
    return f"**{caption}**\n\n{text}"


def folded(title: str, text: str) -> str:
    """Markdown that a reader has to open."""
    return f"<details>\n<summary>{title}</summary>\n\n{text}\n\n</details>"


def figure(path: str, alternative: str, caption: str) -> str:
    """An image with its alternative text, and the caption below it."""
    return f"![{alternative}]({path})\n\n*{caption}*"


def section(title: str, *paragraphs: str, level: int = 2) -> str:
    """A heading and what stands under it; empty paragraphs are left out."""
    return "\n\n".join([f"{'#' * level} {title}", *(text for text in paragraphs if text)])
