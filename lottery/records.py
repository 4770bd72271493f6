"""Typed rows on disk: one Parquet table for each kind of record, its columns the fields of a Struct."""

from collections.abc import Iterable
from itertools import product
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_type_hints

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from lottery.errors import UserError

ARROW = {int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


def schema(kind: type[msgspec.Struct]) -> pa.Schema:
    """The Arrow columns of a record: numbers and flags as such, everything else as text."""
    hints = get_type_hints(kind)
    return pa.schema([(name, ARROW.get(_plain(hint), pa.string())) for name, hint in hints.items()])


def write(kind: type[msgspec.Struct], rows: Iterable[msgspec.Struct], path: Path) -> None:
    """Records of one kind as a table, a row each, in the order given."""
    values = [msgspec.structs.asdict(row) for row in rows]
    pq.write_table(pa.Table.from_pylist(values, schema=schema(kind)), path)


def read(kind: type[msgspec.Struct], paths: Iterable[Path]) -> pa.Table:
    """The rows of several files as one table; a UserError where a file is missing or of another kind."""
    return pa.concat_tables([_one(kind, path) for path in paths])


def read_cells(
    kind: type[msgspec.Struct], cells: Iterable[tuple[str, int]], folder: Path, *names: str
) -> pa.Table:
    """The rows of `folder`/task/seed/name for all names and cells; a UserError also where those of another cell are."""
    found = []
    for name, (task, seed) in product(names, cells):
        path = folder / task / str(seed) / name
        table = _one(kind, path)
        owners = set(zip(table["task"].to_pylist(), table["seed"].to_pylist(), strict=True))
        if owners != {(task, seed)}:
            raise UserError(
                f"{path}: holds no records of {task} seed {seed} alone; delete it and run again"
            )
        found.append(table)
    return pa.concat_tables(found)


def _one(kind: type[msgspec.Struct], path: Path) -> pa.Table:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path}: no readable table: {' '.join(str(error).split())}") from None
    if table.schema.names != schema(kind).names:
        raise UserError(f"{path}: not a table of {kind.__name__} records")
    return table.cast(schema(kind))


def _plain(hint: Any) -> Any:
    """The type of an optional field without its None."""
    if isinstance(hint, UnionType):
        return next(arm for arm in get_args(hint) if arm is not type(None))
    return hint
