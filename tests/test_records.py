"""Tables of records: what is written is read back, and other tables are refused."""

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from lottery import records
from lottery.errors import UserError


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    count: int | None
    value: float
    valid: bool


class Other(msgspec.Struct, frozen=True, kw_only=True):
    name: str


def test_records_are_read_back_in_order_across_files(tmp_path: Path) -> None:
    rows = [
        Measured(name="a", count=None, value=float("nan"), valid=True),
        Measured(name="b", count=3, value=0.5, valid=False),
    ]
    records.write(Measured, rows, tmp_path / "one.parquet")
    records.write(Measured, rows[1:], tmp_path / "two.parquet")
    table = records.read(Measured, [tmp_path / "one.parquet", tmp_path / "two.parquet"])
    assert table["name"].to_pylist() == ["a", "b", "b"]
    assert table["count"].to_pylist() == [None, 3, 3]
    assert msgspec.convert(table.slice(1).to_pylist(), list[Measured]) == [rows[1]] * 2


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    rounded: NDArray[np.float16]
    exact: NDArray[np.float32]


def test_arrays_are_read_back_to_the_bit(tmp_path: Path) -> None:
    special = np.array([0.1, -0.0, np.inf, np.nan, 6e-8, 65504], np.float16)
    rows: list[NDArray[np.float16]] = [
        special,
        np.array([], np.float16),
        np.array([0.5, 2], np.float16),
    ]
    curves = [Curve(rounded=row, exact=row.astype(np.float32) * np.float32(0.1)) for row in rows]
    records.write(Curve, curves, tmp_path / "curves.parquet")
    table = records.read(Curve, [tmp_path / "curves.parquet"])
    for name in ("rounded", "exact"):
        for curve, column in zip(curves, table[name].to_pandas(), strict=True):
            expected = getattr(curve, name)
            assert column.dtype == expected.dtype
            assert column.tobytes() == expected.tobytes()


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [Other(name="x")]
    for name in ("a", "b"):
        records.write(Other, rows, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_other_tables_are_refused(tmp_path: Path) -> None:
    records.write(Other, [Other(name="x")], tmp_path / "other.parquet")
    (tmp_path / "malformed.parquet").write_bytes(b"PAR1")
    for name, message in (
        ("other", "not a table of Measured"),
        ("malformed", "no readable table"),
        ("missing", "no readable table"),
    ):
        with pytest.raises(UserError, match=message):
            records.read(Measured, [tmp_path / f"{name}.parquet"])


@pytest.mark.parametrize(
    "change",
    [
        {"count": "three"},
        {"value": "much"},
        {"valid": "perhaps"},
        {"count": 2.5},
        {"name": b"\xff"},
    ],
    ids=str,
)
def test_columns_of_another_type_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    row = {"name": "a", "count": 3, "value": 0.5, "valid": True}
    pq.write_table(pa.Table.from_pylist([row | change]), tmp_path / "rows.parquet")
    with pytest.raises(UserError, match="no readable table of Measured records") as caught:
        records.read(Measured, [tmp_path / "rows.parquet"])
    assert "\n" not in str(caught.value)


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    task: str
    seed: int


def test_records_of_other_cells_are_refused(tmp_path: Path) -> None:
    for seed, recorded in ((1, [1, 1]), (2, [1]), (3, [3, 1]), (4, [])):
        rows = [Cell(task="rte", seed=number) for number in recorded]
        (tmp_path / "rte" / str(seed)).mkdir(parents=True)
        records.write(Cell, rows, tmp_path / "rte" / str(seed) / "a.parquet")

    assert len(records.read_cells(Cell, [("rte", 1)], tmp_path, "a.parquet")) == 2
    for seed in (2, 3, 4):
        with pytest.raises(UserError, match=f"expected records of rte seed {seed} only"):
            records.read_cells(Cell, [("rte", 1), ("rte", seed)], tmp_path, "a.parquet")
