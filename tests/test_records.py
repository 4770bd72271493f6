"""Rows come back as they were written; a table of something else is refused."""

from pathlib import Path

import msgspec
import pytest

from lottery import records
from lottery.errors import UserError


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    count: int | None
    value: float
    sound: bool


class Other(msgspec.Struct, frozen=True, kw_only=True):
    name: str


def test_rows_come_back_in_order_across_files(tmp_path: Path) -> None:
    rows = [
        Measured(name="a", count=None, value=float("nan"), sound=True),
        Measured(name="b", count=3, value=0.5, sound=False),
    ]
    records.write(Measured, rows, tmp_path / "one.parquet")
    records.write(Measured, rows[1:], tmp_path / "two.parquet")
    found = records.read(Measured, [tmp_path / "one.parquet", tmp_path / "two.parquet"])
    assert found["name"].to_pylist() == ["a", "b", "b"]
    assert found["count"].to_pylist() == [None, 3, 3]
    assert msgspec.convert(found.slice(1).to_pylist(), list[Measured]) == [rows[1]] * 2


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    rows = [Other(name="x")]
    for name in ("a", "b"):
        records.write(Other, rows, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_other_tables_are_refused(tmp_path: Path) -> None:
    records.write(Other, [Other(name="x")], tmp_path / "other.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    for name, message in (
        ("other", "not a table of Measured"),
        ("broken", "no readable table"),
        ("missing", "no readable table"),
    ):
        with pytest.raises(UserError, match=message):
            records.read(Measured, [tmp_path / f"{name}.parquet"])


class Owned(msgspec.Struct, frozen=True, kw_only=True):
    task: str
    seed: int


def test_a_cell_is_read_from_its_own_records_alone(tmp_path: Path) -> None:
    for seed, inside in ((1, [1, 1]), (2, [1]), (3, [3, 1]), (4, [])):
        rows = [Owned(task="rte", seed=each) for each in inside]
        (tmp_path / "rte" / str(seed)).mkdir(parents=True)
        records.write(Owned, rows, tmp_path / "rte" / str(seed) / "a.parquet")

    assert len(records.read_cells(Owned, [("rte", 1)], tmp_path, "a.parquet")) == 2
    for seed in (2, 3, 4):
        with pytest.raises(UserError, match=f"no records of rte seed {seed} alone"):
            records.read_cells(Owned, [("rte", 1), ("rte", seed)], tmp_path, "a.parquet")
