"""Tables of own data, read by `datasets`: every row with the number of its line."""

import csv
import glob
import json
import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple

from datasets import ClassLabel, Dataset, Features, Value, load_dataset, load_from_disk
from datasets.exceptions import DatasetsError
from datasets.utils.logging import set_verbosity
from huggingface_hub.errors import HfHubHTTPError

from lottery.data.formats import BUILDERS, DELIMITERS, require_table
from lottery.data.rows import UNREADABLE
from lottery.errors import UserError, first_line

Values = Mapping[str, Any]
Quoting = Literal[0, 3]
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
"""Byte order marks, as Excel writes them, with the encoding that they stand for."""


class Table(NamedTuple):
    """Rows of one split with their numbers; `unit` is `line` where a number is a line of a text file, else `row`."""

    name: str
    unit: str
    rows: Sequence[tuple[int, Values]]


def read_table(path: Path, columns: Sequence[str], quotes: bool = True) -> Table:
    """The columns of a file, or of a folder that `Dataset.save_to_disk` wrote.

    Raises UserError if it cannot be read, or lacks a column.
    """
    require_table(path)
    suffix = path.suffix.lower()
    if path.is_dir():
        return read_folder(path, None, columns)
    if suffix in DELIMITERS:
        return _read_delimited(path, DELIMITERS[suffix], columns, quotes)
    if suffix in {".jsonl", ".ndjson"}:
        return _read_json_lines(path, columns)
    rows = _read(path, BUILDERS[suffix], columns)
    return Table(path.name, "row", list(enumerate(rows, 1)))


def read_folder(path: Path, split: str | None, columns: Sequence[str]) -> Table:
    """The columns of a folder that `save_to_disk` wrote, or of one of its splits.

    Raises UserError if it cannot be read, has no such split, or lacks a column.
    """
    try:
        saved = load_from_disk(str(path))
    except UNREADABLE as error:
        raise UserError(
            f"{path}: not a folder that save_to_disk wrote: {first_line(error)}"
        ) from None
    if isinstance(saved, Dataset) == (split is not None):
        holds = "no splits" if isinstance(saved, Dataset) else f"the splits {', '.join(saved)}"
        raise UserError(f"{path}: the folder holds {holds}; see `splits` in docs/own_data.md")
    if split is not None and split not in saved:
        raise UserError(f"{path}: there is no split `{split}`; there are: {', '.join(saved)}")
    name = path.name if split is None else f"{path.name}/{split}"
    chosen = saved if split is None else saved[split]
    try:
        # Of a damaged table pyarrow reads what lies beyond it.
        chosen.data.validate(full=True)
    except UNREADABLE as error:
        raise UserError(f"{path}: a damaged table: {first_line(error)}") from None
    return Table(name, "row", list(enumerate(named(chosen, str(path), columns), 1)))


def read_hub(
    name: str, config: str | None, revision: str | None, split: str, columns: Sequence[str]
) -> Table:
    """The columns of a split of a data set of the hub. Raises UserError if it cannot be had, or lacks a column."""
    try:
        dataset = load_dataset(name, config, split=split, revision=revision)
    except (HfHubHTTPError, DatasetsError, OSError, ValueError) as error:
        raise UserError(
            f"cannot download {split} of {name}: {first_line(error)}; allow access to the hub, or"
            " save the data set into a folder and name that as `files`"
        ) from None
    return Table(f"{name}/{split}", "row", list(enumerate(named(dataset, name, columns), 1)))


def named(dataset: Any, source: str, columns: Sequence[str]) -> Iterator[Values]:
    """The columns of a data set of `datasets`, with classes by name. Raises UserError if it lacks a column."""
    features = dataset.features or {}
    require_columns(source, features, columns)
    classes = {
        name: features[name].names for name in columns if isinstance(features[name], ClassLabel)
    }
    for row in dataset.select_columns(list(columns)):
        yield {name: _class(row[name], classes.get(name)) for name in columns}


def require_columns(source: str, present: Iterable[str], columns: Sequence[str]) -> None:
    """Raise UserError if a column is missing."""
    present = list(present)
    for column in columns:
        if column not in present:
            there = ", ".join(present) or "none"
            raise UserError(f"{source}: there is no column `{column}`; there are: {there[:200]}")


def _class(value: Any, names: Sequence[str] | None) -> Any:
    """A value; of a class its name, of a label that a data set hides (-1) nothing."""
    if names is None or value is None:
        return value
    return names[value] if 0 <= value < len(names) else None


def _read_delimited(path: Path, delimiter: str, columns: Sequence[str], quotes: bool) -> Table:
    encoding = _encoding(path)
    quoting: Quoting = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    header = _header(path, encoding, delimiter, quoting)
    require_columns(str(path), header, columns)
    options = {
        "delimiter": delimiter,
        "encoding": encoding,
        "quoting": quoting,
        "keep_default_na": False,  # `NA` and `null` are words
        "skip_blank_lines": False,  # so that lines can be counted
    }
    rows = _read(path, "csv", header, **options)
    return Table(path.name, "line", list(_with_lines(rows)))


def _with_lines(rows: Iterable[Values]) -> Iterator[tuple[int, Values]]:
    """Rows below a header with the line on which each begins; cells may span lines, blank lines are left out."""
    line = 2
    for row in rows:
        if any(row.values()):
            yield line, row
        line += 1 + sum((value or "").count("\n") for value in row.values())


def _header(path: Path, encoding: str, delimiter: str, quoting: Quoting) -> list[str]:
    """Names of the columns. Raises UserError if they are not unique, or the first row has more cells than names."""
    try:
        with path.open(encoding=encoding, newline="") as file:
            lines = csv.reader(file, delimiter=delimiter, quoting=quoting)
            header, first = next(lines, []), next(lines, [])
    except (OSError, UnicodeError, csv.Error) as error:
        raise UserError(
            f"{path}: line 1: not readable as {encoding} text: {first_line(error)}"
        ) from None
    if len(set(header)) < len(header):
        raise UserError(f"{path}: line 1: two columns have the same name")
    if len(first) > len(header):
        raise UserError(
            f"{path}: line 2 has {len(first)} cells, the header {len(header)}; put quotation marks"
            " around cells with a delimiter in them"
        )
    return header


def _encoding(path: Path) -> str:
    """The encoding that the byte order mark of a file says, else UTF-8."""
    with path.open("rb") as file:
        start = file.read(3)
    return next((name for mark, name in MARKS.items() if start.startswith(mark)), "utf-8")


def _read_json_lines(path: Path, columns: Sequence[str]) -> Table:
    lines = dict(_json_lines(path))
    numbers = list(lines)
    require_columns(str(path), dict.fromkeys(chain.from_iterable(lines.values())), columns)
    rows = list(_read(path, "json", columns, parse_agent_traces=False)) if numbers else []
    if len(rows) != len(numbers):
        raise UserError(
            f"{path}: {len(numbers)} lines, but {len(rows)} rows; write one object a line"
        )
    return Table(path.name, "line", list(zip(numbers, rows, strict=True)))


def _json_lines(path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Lines that are not blank: number and keys. Raises UserError, with the line, where one is not a JSON object."""
    if (encoding := _encoding(path)) == "utf-16":
        raise UserError(f"{path}: line 1: UTF-16; save it as UTF-8")
    with path.open(encoding=encoding) as file:
        number = 0
        try:
            for number, line in enumerate(file, 1):
                if line.strip():
                    values = json.loads(line)
                    if not isinstance(values, dict):
                        raise ValueError("not an object")
                    yield number, tuple(values)
        except (ValueError, RecursionError) as error:
            reason = first_line(error)
            raise UserError(f"{path}: line {max(number, 1)}: not JSON lines: {reason}") from None


def _read(path: Path, builder: str, columns: Sequence[str], **options: Any) -> Iterator[Values]:
    """The columns of a file, streamed by a builder of `datasets`, which leaves nothing in any cache."""
    if builder == "csv":
        text = Value("string")
        options["features"] = Features(dict.fromkeys(columns, text))
    set_verbosity(logging.CRITICAL)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            stream = load_dataset(
                builder, data_files={"train": glob.escape(str(path))}, split="train", streaming=True,
                cache_dir=scratch, **options,
            )  # fmt: skip
            if stream.features is not None:
                yield from named(stream, str(path), columns)
            else:
                yield from ({name: row.get(name) for name in columns} for row in stream)
    except (DatasetsError, *UNREADABLE) as error:
        raise UserError(f"{path}: not readable: {first_line(error)}") from None
