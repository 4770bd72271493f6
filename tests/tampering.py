"""Changes of a finished toy run, and what its checks say of them."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from lottery import records
from lottery.errors import UserError
from lottery.verification import counts, recompute, scored
from lottery.verification.run import CellOutputs, Findings
from tests import toy_run

Change = Callable[[pd.DataFrame], pd.DataFrame]
CHECKS: dict[str, Callable[[CellOutputs], Findings]] = {
    "predictions": scored.predictions,
    "scores": scored.scores,
    "sizes": counts.sizes,
    "steps": counts.steps,
    "draws": recompute.draws,
    "searches": partial(recompute.searches, tolerance=0),
    "pruned scores": partial(recompute.pruned_scores, tolerance=0),
    "kept scores": partial(recompute.kept_scores, tolerance=0),
}


def problems(root: Path, *checks: str) -> list[str]:
    """Findings of the named checks, or of all of them, about a run."""
    return [
        problem
        for cell in toy_run.run(root).cells
        for name in checks or CHECKS
        for problem in problems_of_cell(cell, name)
    ]


def problems_of_cell(cell: CellOutputs, check: str) -> Iterator[str]:
    try:
        yield from (problem for problem in CHECKS[check](cell) if problem is not None)
    except UserError as error:
        yield str(error)


def rewrite(kind: Any, path: Path, change: Change) -> None:
    changed = change(records.read(kind, [path]).to_pandas()).to_dict("records")
    rows = [
        kind(**{str(key): None if pd.isna(value) else value for key, value in row.items()})
        for row in changed
    ]
    records.write(kind, rows, path)


def without(row: int) -> Change:
    return lambda frame: frame.drop(frame.index[row % len(frame)])


def with_duplicate(row: int) -> Change:
    return lambda frame: pd.concat([frame, frame.iloc[[row % len(frame)]]])


def with_value(row: int, column: str, value: Any) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].tolist()
        values[row] = value
        return frame.assign(**{column: values})

    return change
