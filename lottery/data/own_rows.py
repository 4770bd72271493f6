"""Rows of an own task as its asset folder holds them, a Parquet file for each split."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lottery.data.rows import UNREADABLE, Corpus, Row, require_valid_rows, validated
from lottery.errors import UserError
from lottery.tasks import Task

COLUMNS = pa.schema(
    [
        ("first", pa.string()),
        ("second", pa.string()),
        ("label", pa.float64()),
        ("group", pa.string()),
    ]
)


def write(rows: Sequence[Row], path: Path) -> None:
    """Write the rows of a split as Parquet."""
    pq.write_table(pa.Table.from_pylist([row._asdict() for row in rows], COLUMNS), path)


def read(task: Task, folder: Path) -> Corpus:
    """The corpus that `fetch` saved. Raises UserError if a file is missing or damaged."""
    try:
        files = sorted(folder.glob("*.parquet"), key=lambda file: (file.stem != "train", file.stem))
        corpus = {
            file.stem: _rows(validated(pq.read_table(file, schema=COLUMNS))) for file in files
        }
    except UNREADABLE as error:
        raise UserError(
            f"{folder}: not the rows of {task.name}: {error}; fetch them again"
        ) from None
    if not {"train", "dev"} <= corpus.keys():
        raise UserError(f"{folder}: train and dev of {task.name} are missing; fetch them again")
    for split, rows in corpus.items():
        require_valid_rows(task, f"{folder}: split {split} of {task.name}", rows)
    return corpus


def _rows(table: pa.Table) -> list[Row]:
    return [Row(**values) for values in table.to_pylist()]
