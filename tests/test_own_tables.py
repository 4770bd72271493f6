"""Files of own data: every format is read alike, with the numbers of its lines, and without a network."""

import csv
import io
import json
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import hypothesis.strategies as st
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features, Value
from hypothesis import given, settings

from lottery.data import tables
from lottery.data.rows import Row
from lottery.tasks import declare
from tests.own import ROWS, delimited, fetched
from tests.test_bad_data import refused


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, and no own task that is left of another test."""

    def connect(*_: object) -> None:
        raise AssertionError("own files must not need a network")

    monkeypatch.setattr(socket.socket, "connect", connect)
    declare([])


def _delimited(delimiter: str, encoding: str) -> Callable[[Path, list[dict[str, str]]], None]:
    def write(path: Path, rows: list[dict[str, str]]) -> None:
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, ["text", "kind"], delimiter=delimiter)
        table.writeheader()
        table.writerows(rows)
        path.write_bytes(text.getvalue().encode(encoding))

    return write


def _json_lines(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def _arrow(path: Path, rows: list[dict[str, str]]) -> None:
    table = pa.Table.from_pylist(rows)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)


def _folder(path: Path, rows: list[dict[str, str]]) -> None:
    features = Features({"text": Value("string"), "kind": ClassLabel(names=["good", "bad"])})
    Dataset.from_list(rows, features=features).save_to_disk(path)


WRITERS: Mapping[str, Callable[[Path, list[dict[str, str]]], None]] = {
    "rows.csv": _delimited(",", "utf-8"),
    "rows.tsv": _delimited("\t", "utf-8-sig"),
    "rows of Excel's [1].tsv": _delimited("\t", "utf-16"),
    "rows.jsonl": _json_lines,
    "rows.parquet": lambda path, rows: pq.write_table(pa.Table.from_pylist(rows), path),
    "rows.arrow": _arrow,
    "folder": _folder,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name, ROWS)
    said, corpus, about = fetched(tmp_path, files=str(tmp_path / name))
    rows = [Row(row["text"], None, float(row["kind"] == "good")) for row in ROWS]
    assert sorted([*corpus["train"], *corpus["dev"]]) == sorted(rows)
    assert said == "16 train, 4 dev rows, 50 % bad and 50 % good; no row left out"
    assert about["parts"][0][0]["licence"] == about["language"] == "not stated"
    assert name in about["name"]


CELLS = st.text(st.sampled_from('ab ",\n\t'), max_size=6)


@settings(max_examples=40)
@given(st.lists(st.tuples(CELLS, CELLS), max_size=8))
def test_lines_are_those_of_the_reader_of_python(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    text = io.StringIO(newline="")
    quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    quoted.writerows([("a", "b"), *rows])
    oracle = csv.reader(io.StringIO(text.getvalue(), newline=""))
    _, start, expected = next(oracle), 2, []
    for row in oracle:
        if any(row):
            expected.append((start, dict(zip("ab", row, strict=True))))
        start = oracle.line_num + 1
    path = delimited(tmp_path_factory.mktemp("lines"), text.getvalue())
    assert list(tables.read_table(path, ["a", "b"]).rows) == expected


def test_words_that_mean_nothing_elsewhere_stay_words(tmp_path: Path) -> None:
    path = delimited(tmp_path, "text,kind\nNA,bad\nnull,01\n  ,1\n")
    assert [row for _, row in tables.read_table(path, ["text", "kind"]).rows] == [
        {"text": "NA", "kind": "bad"},
        {"text": "null", "kind": "01"},
        {"text": "  ", "kind": "1"},
    ]


def test_quotation_marks_can_be_plain_characters(tmp_path: Path) -> None:
    path = delimited(tmp_path, 'text,kind\n"so, bad\nso",good\n').rename(tmp_path / "a.csv")
    rows = tables.read_table(path, ["text", "kind"], quotes=False).rows
    assert [row["text"] for _, row in rows] == ['"so', 'so"']


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"text": "a", "kind": "good"}\n{"text"\n', "line 2: not JSON lines"),
        ('{"text": "a", "kind": "good"}\n[1]\n', "line 2: not JSON lines: not an object"),
        ('{"text": "a"}\n', "there is no column `kind`"),
        ("[" * 100_000, "line 1: not JSON lines"),
        ("", "there is no column `text`"),
    ],
)
def test_json_lines_that_cannot_be_right_are_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "rows.jsonl").write_text(text, encoding="utf-8")
    assert message in refused(lambda: fetched(tmp_path, files=str(tmp_path / "rows.jsonl")))


@pytest.mark.parametrize("name", ["rows.parquet", "rows.arrow", "rows.csv"])
def test_damaged_files_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x00\xff" * 40)
    refused(lambda: fetched(tmp_path, files=str(tmp_path / name)))
