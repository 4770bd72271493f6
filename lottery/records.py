"""Records on disk: one Parquet table per type of record, with the fields of its Struct as columns."""

from collections.abc import Iterable
from itertools import product
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lottery.errors import MALFORMED, UserError

S = TypeVar("S", bound=msgspec.Struct)
ARROW = {int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


def schema(kind: type[msgspec.Struct]) -> pa.Schema:
    """Arrow schema of a record: numbers, booleans and arrays of numbers as such, everything else as text."""
    hints = get_type_hints(kind)
    return pa.schema([(name, _arrow(_required(hint))) for name, hint in hints.items()])


def write(kind: type[msgspec.Struct], records: Iterable[msgspec.Struct], path: Path) -> None:
    """Write records of one type as a table, one row per record, in the order given."""
    rows = [msgspec.structs.asdict(record) for record in records]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema(kind)), path)


def read(kind: type[msgspec.Struct], paths: Iterable[Path]) -> pa.Table:
    """The rows of several files as one table. Raises UserError if a file is missing or of another type."""
    return pa.concat_tables([_read_file(kind, path) for path in paths])


def structs(kind: type[S], table: pa.Table) -> list[S]:
    """The rows of a table as records."""
    columns = [_values(column) for column in table.columns]
    names = table.column_names
    return [kind(**dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]


def read_cells(
    kind: type[msgspec.Struct], cells: Iterable[tuple[str, int]], folder: Path, *names: str
) -> pa.Table:
    """The rows of `folder`/<task>/<seed>/<name> for all names and cells.

    Raises UserError if a file is missing, of another type, or has records of another task or seed.
    """
    tables = []
    for name, (task, seed) in product(names, cells):
        path = folder / task / str(seed) / name
        table = _read_file(kind, path)
        owners = set(zip(table["task"].to_pylist(), table["seed"].to_pylist(), strict=True))
        if owners != {(task, seed)}:
            raise UserError(
                f"{path}: expected records of {task} seed {seed} only; delete it and run again"
            )
        tables.append(table)
    return pa.concat_tables(tables)


def _read_file(kind: type[msgspec.Struct], path: Path) -> pa.Table:
    try:
        table = pq.read_table(path)
        # pyarrow reads damaged offsets and invalid UTF-8 without complaint unless it is asked to check them.
        table.validate(full=True)
        if table.schema.names != schema(kind).names:
            raise UserError(f"{path}: not a table of {kind.__name__} records")
        return table.cast(schema(kind))
    except (pa.ArrowException, *MALFORMED) as error:
        raise UserError(f"{path}: no readable table of {kind.__name__} records: {error}") from None


def _values(column: pa.ChunkedArray) -> Iterable[Any]:
    """The values of a column, None where there is none; a list is an array."""
    is_list = pa.types.is_list(column.type)
    values: Iterable[Any] = column.to_pandas() if is_list else column.to_pylist()
    return values


def _arrow(hint: Any) -> pa.DataType:
    """The Arrow type of a field; an array [N] is a list of its elements."""
    if get_origin(hint) is not np.ndarray:
        return ARROW.get(hint, pa.string())
    _, dtype = get_args(hint)
    return pa.list_(pa.from_numpy_dtype(*get_args(dtype)))


def _required(hint: Any) -> Any:
    """The type of an optional field without None."""
    if isinstance(hint, UnionType):
        return next(kind for kind in get_args(hint) if kind is not type(None))
    return hint
