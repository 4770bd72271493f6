"""Rows of a data set, and the checks that every source of them shares."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any, NamedTuple, cast

import pyarrow as pa

from lottery.errors import MALFORMED, UserError
from lottery.tasks import Task


class Row(NamedTuple):
    """A sentence or a sentence pair with its label, a class or a score.

    Rows of the same non-empty group always stay in the same split.
    """

    first: str
    second: str | None
    label: float
    group: str = ""


UNREADABLE = (pa.ArrowException, *MALFORMED)
"""What pyarrow, `datasets`, and a look at the fields raise for a damaged file."""
Corpus = Mapping[str, Sequence[Row]]
"""Rows of the splits `train` and `dev`, and of further dev splits: `dev-mismatched` of MNLI, `dev-tweets` of SST-2."""


def require_valid_rows(task: Task, source: str, rows: Sequence[Row], split: str = "train") -> None:
    """Raise UserError unless all texts are strings and all labels fit the task.

    Labels are those of the task's classes on the split or, for a regression, finite numbers. `source` names the rows
    in the message.
    """
    labels = range(len({*task.label_of_class(split)}))
    expected = "a finite number" if task.regression else f"a class from 0 to {labels[-1]}"
    for number, row in enumerate(rows, 1):
        first, second, label, *_ = cast(tuple[Any, ...], row)
        for text in (first,) if second is None else (first, second):
            if not isinstance(text, str):
                kind = type(text).__name__
                raise UserError(f"{source}: row {number} has a text of type {kind}; expected str")
        finite = isinstance(label, int | float) and math.isfinite(label)
        if not finite or (not task.regression and label not in labels):
            raise UserError(f"{source}: row {number} has the label {label!r}; expected {expected}")


def standardised(corpus: Corpus) -> tuple[Corpus, float, float]:
    """The corpus with standardised labels, and the mean and standard deviation of `train` used for it.

    The metrics of a regression are correlations, which do not change. Raises UserError if all labels of `train` are
    equal.
    """
    labels = [row.label for row in corpus["train"]]
    mean, std = fmean(labels), pstdev(labels)
    if std == 0:
        raise UserError(f"all training labels are {mean}; choose a corpus with different scores")
    scaled = {
        split: [row._replace(label=(row.label - mean) / std) for row in rows]
        for split, rows in corpus.items()
    }
    return scaled, mean, std


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
