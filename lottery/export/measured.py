"""Times that `lottery measure` took of a model, for its card."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from lottery.errors import MALFORMED, UserError
from lottery.export.size import sparsity
from lottery.export.trained import TrainedModel
from lottery.report import numbers
from lottery.report.blocks import Table
from lottery.wording import counted

COLUMNS: Mapping[str, type] = {
    **dict.fromkeys(("task", "method", "kind", "program", "machine"), str),
    **dict.fromkeys(("seed", "batch", "tokens", "rounds"), int),
    **dict.fromkeys(("left", "prunable", "ms"), float),
}
"""The columns that are read, with their types."""
ROW = ["task", "seed", "method", "kind", "program", "batch"]
CLOSE = 1e-3
"""Difference of two sparsities that are equal but for rounding."""


def times(model: TrainedModel, file: Path) -> Table | None:
    """CPU time of the model by program; None if nobody measured it, or what was measured is another ticket.

    Raises UserError if the table is malformed.
    """
    if not file.is_file() or model.spelling is not None:
        return None
    measured = _read(file)
    task, seed, key = model.task.name, model.seed, model.key
    rows = measured[
        (measured["task"] == task)
        & (measured["seed"] == seed)
        & (measured["method"] == key.method)
        & (measured["kind"] == key.kind)
        & ((1 - measured["left"] / measured["prunable"] - sparsity(model)).abs() < CLOSE)
    ]
    if rows.empty:
        return None
    first = rows.iloc[0]
    ms = rows.pivot(index="program", columns="batch", values="ms").loc[rows["program"].unique()]
    return Table(
        caption=f"CPU milliseconds for a batch of examples of {counted(int(first['tokens']), 'token')}, on one thread"
        f" of {first['machine']}: medians over {counted(int(first['rounds']), 'round')}.",
        header=["program", *(counted(int(batch), "example") for batch in ms.columns)],
        rows=[
            [str(program), *(numbers.number(value, 1) for value in of_program)]
            for program, of_program in zip(ms.index, ms.to_numpy().tolist(), strict=True)
        ],
    )


def _read(file: Path) -> pd.DataFrame:
    """The table that `lottery measure` wrote, with a row for each model, program and batch."""
    try:
        table = pd.read_csv(file, usecols=[*COLUMNS], dtype={**COLUMNS})
        if table.duplicated(ROW).any():
            raise ValueError("a model is measured twice")
        return table
    except MALFORMED as error:
        raise UserError(
            f"{file}: not a table of times: {error}; measure again, or delete it"
        ) from None
