"""GLUE as saved: the Arrow files of `datasets`' `save_to_disk`, or the hub's Parquet files.

Both are read by pyarrow alone: importing `datasets` would cost every stage three seconds.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lottery.data.corpora import Corpus, Row, checked, require_usable_labels
from lottery.errors import UserError
from lottery.tasks import get_task as known_task

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "cola": ("sentence",),
    "sst2": ("sentence",),
    "mrpc": ("sentence1", "sentence2"),
    "stsb": ("sentence1", "sentence2"),
    "qqp": ("question1", "question2"),
    "mnli": ("premise", "hypothesis"),
    "qnli": ("question", "sentence"),
    "rte": ("sentence1", "sentence2"),
    "wnli": ("sentence1", "sentence2"),
}
DEV: Mapping[str, Mapping[str, str]] = {
    "mnli": {"dev": "validation_matched", "dev-mismatched": "validation_mismatched"}
}


def columns(task: str) -> tuple[str, ...]:
    """The text columns of a GLUE task; a UserError for a task GLUE does not have."""
    if task not in COLUMNS:
        raise UserError(
            f"`{task}` is not a GLUE task ({', '.join(COLUMNS)}); try data.source: packages"
        )
    return COLUMNS[task]


def saved(task: str, folder: Path) -> Corpus:
    """The labelled splits of the task in `folder`; GLUE's test sets have no labels."""
    texts = columns(task)
    splits = {"train": "train"} | dict(DEV.get(task, {"dev": "validation"}))
    return {ours: _rows(task, folder, theirs, texts) for ours, theirs in splits.items()}


def _rows(task: str, folder: Path, split: str, texts: tuple[str, ...]) -> list[Row]:
    where = f"{folder}: split {split} of {task}"
    try:
        table = _table(folder, split)
        first, *second = (table.column(name).to_pylist() for name in texts)
        labels = table.column("label").to_pylist()
    except KeyError as error:
        raise UserError(
            f"{where} lacks a column: {error}; expected {', '.join(texts)}, label"
        ) from None
    except (OSError, ValueError, TypeError, RecursionError, pa.ArrowException) as error:
        raise UserError(f"{where} is not readable: {error}; {WAYS_OUT}") from None
    pairs = second[0] if second else [None] * len(first)
    rows = [Row(*row) for row in zip(first, pairs, labels, strict=True)]
    require_usable_labels(known_task(task), where, rows)
    return [row._replace(label=float(row.label)) for row in rows]


def _table(folder: Path, split: str) -> pa.Table:
    if (state := folder / split / "state.json").exists():
        names = [part["filename"] for part in json.loads(state.read_text("utf-8"))["_data_files"]]
        return pa.concat_tables([_arrow(folder / split / Path(name).name) for name in names])
    if parts := sorted(folder.glob(f"{split}-*.parquet")):
        return pa.concat_tables([checked(pq.read_table(part)) for part in parts])
    raise FileNotFoundError(f"neither {split}/state.json nor {split}-*.parquet is there")


def _arrow(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as file:
        return checked(pa.ipc.open_stream(file).read_all())


WAYS_OUT = (
    "allow access to the hub (data.source: hub), or set data.source to a folder that holds the"
    " task as saved by datasets.load_dataset('nyu-mll/glue', task).save_to_disk(folder/task)"
)
