"""Rows of a data set, and the checks that every source of them shares."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import pyarrow as pa

from lottery.errors import UserError
from lottery.tasks import Task


class Row(NamedTuple):
    """A sentence or a sentence pair with its label, a class or a score.

    Rows of the same non-empty group always stay in the same split.
    """

    first: str
    second: str | None
    label: float
    group: str = ""


Corpus = Mapping[str, Sequence[Row]]
"""Rows of the splits `train`, `dev` and, for MNLI, `dev-mismatched`."""


def require_valid_rows(task: Task, source: str, rows: Sequence[Row]) -> None:
    """Raise UserError unless all texts are strings and all labels fit the task.

    Labels are classes of the task or, for a regression, finite numbers. `source` names the rows in the message.
    """
    expected = "a finite number" if task.regression else f"a class from 0 to {task.classes - 1}"
    for number, row in enumerate(rows):
        first, second, label, *_ = cast(tuple[Any, ...], row)
        for text in (first,) if second is None else (first, second):
            if not isinstance(text, str):
                kind = type(text).__name__
                raise UserError(f"{source}: row {number} has a text of type {kind}; expected str")
        finite = isinstance(label, int | float) and math.isfinite(label)
        if not finite or (not task.regression and label not in range(task.classes)):
            raise UserError(f"{source}: row {number} has the label {label!r}; expected {expected}")


def read_arrow(path: Path) -> pa.Table:
    """The table of an Arrow stream file. Raises ArrowInvalid if its bytes do not fit its schema."""
    with pa.memory_map(str(path)) as file:
        return validated(pa.ipc.open_stream(file).read_all())


def validated(table: pa.Table) -> pa.Table:
    """The same table. Raises ArrowInvalid if its bytes do not fit its schema.

    pyarrow reads damaged offsets and invalid UTF-8 without complaint unless it is asked to check them.
    """
    table.validate(full=True)
    return table
