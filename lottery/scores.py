"""One measured number and who it belongs to."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

Method = Literal["full", "structured", "magnitude"]
Kind = Literal["full", "good", "random", "bad", "super", "super-random", "super-bad"]
State = Literal["finetuned", "pruned", "retrained"]


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of one subnetwork on one split.

    `state` says whose weights were scored: the fine-tuned model's as they are (`finetuned`), the same with
    the subnetwork cut out (`pruned`), or pre-trained weights fine-tuned under the mask (`retrained`).
    `n` counts the examples of the split.
    """

    task: str
    seed: int
    method: Method
    kind: Kind
    draw: int
    state: State
    split: str
    metric: str
    value: float
    n: int


COLUMNS = pa.schema(
    [
        (field, {str: pa.string(), int: pa.int64(), float: pa.float64()}.get(kind, pa.string()))
        for field, kind in Score.__annotations__.items()
    ]
)


def write(scores: Iterable[Score], path: Path) -> None:
    """Scores as one Parquet table, a row each, in the order given."""
    rows = [msgspec.structs.asdict(score) for score in scores]
    pq.write_table(pa.Table.from_pylist(rows, schema=COLUMNS), path)


def read(paths: Iterable[Path]) -> pa.Table:
    """The rows of several files as one table of `Score` columns."""
    return pa.concat_tables([pq.read_table(path, schema=COLUMNS) for path in paths])
