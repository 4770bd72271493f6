"""GLUE tasks on disk: the Arrow files that `datasets` saves, or the Parquet files of the hub.

pyarrow alone reads both: importing `datasets` would slow down the start of every stage.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from lottery.data.rows import UNREADABLE, Corpus, Row, read_arrow, require_valid_rows, validated
from lottery.errors import UserError
from lottery.tasks import get_task

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


class OtherTexts(NamedTuple):
    """A data set of the hub: its name, configuration, revision and split, and its text columns.

    `folder` is where it lies in the folder of the task; `split` is what it becomes: a further dev split. `origin` says
    whose data they are and on which terms, `labels` how its labels are those of the task.
    """

    folder: str
    split: str
    hub: str
    configuration: str | None
    revision: str | None
    part: str
    texts: tuple[str, ...]
    origin: str
    labels: str


FURTHER: Mapping[str, OtherTexts] = {
    "mnli": OtherTexts(
        folder="hans",
        split="dev-hans",
        hub="jhu-cogsci/hans",
        configuration=None,
        revision="refs/convert/parquet",  # the main branch is a script, which `datasets` no longer runs
        part="validation",
        texts=("premise", "hypothesis"),
        origin="HANS, by McCoy, Pavlick and Linzen (2019); licence: MIT as the authors state, unknown on the hub",
        labels="Its labels are entailment and non-entailment, as which predictions of neutral and contradiction count;"
        " half of the whole set is of each, so guessing scores 0.5.",
    ),
    "qqp": OtherTexts(
        folder="paws",
        split="dev-paws",
        hub="google-research-datasets/paws",
        configuration="labeled_final",
        revision=None,
        part="test",
        texts=("sentence1", "sentence2"),
        origin="PAWS, by Zhang, Baldridge and He (2019); free for any purpose, Google LLC asks to be named as source",
        labels="Its labels are those of qqp.",
    ),
}
"""By task, a data set of other texts with its labels, or some merged; read where the task's folder has it."""
HOW_TO_GET_GLUE = (
    "allow access to the hub (data.source: hub), or set data.source to a folder that holds the"
    " task as saved by datasets.load_dataset('nyu-mll/glue', task).save_to_disk(folder/task)"
)


def text_columns(task: str) -> tuple[str, ...]:
    """The text columns of a GLUE task. Raises UserError if GLUE has no such task."""
    if task not in COLUMNS:
        raise UserError(
            f"`{task}` is not a GLUE task ({', '.join(COLUMNS)}); try data.source: packages"
        )
    return COLUMNS[task]


def read_glue(task: str, folder: Path) -> Corpus:
    """Train and dev of the task in `folder`, and other texts if they are there; GLUE's test splits have no labels.

    Raises UserError if a split is missing or malformed, or a row is invalid.
    """
    texts = text_columns(task)
    splits = {"train": "train", **DEV.get(task, {"dev": "validation"})}
    corpus = {split: _rows(task, folder, saved, texts, split) for split, saved in splits.items()}
    other = FURTHER.get(task)
    if other is None or not (folder / other.folder).exists():
        return corpus
    return {**corpus, other.split: _rows(task, folder, other.folder, other.texts, other.split)}


def _rows(task: str, folder: Path, saved: str, texts: tuple[str, ...], split: str) -> list[Row]:
    source = f"{folder}: split {saved} of {task}"
    try:
        table = _read_split(folder, saved)
        columns = [table.column(name).to_pylist() for name in texts]
        labels = table.column("label").to_pylist()
    except KeyError as error:
        raise UserError(
            f"{source} lacks a column: {error}; expected {', '.join(texts)}, label"
        ) from None
    except UNREADABLE as error:
        raise UserError(f"{source} is not readable: {error}; {HOW_TO_GET_GLUE}") from None
    first, second = columns if len(columns) == 2 else (columns[0], [None] * len(labels))
    rows = [Row(*row) for row in zip(first, second, labels, strict=True)]
    require_valid_rows(get_task(task), source, rows, split)
    return [row._replace(label=float(row.label)) for row in rows]


def _read_split(folder: Path, split: str) -> pa.Table:
    if (state := folder / split / "state.json").exists():
        names = [part["filename"] for part in json.loads(state.read_text("utf-8"))["_data_files"]]
        # Only the last component counts: a name in a foreign file must not lead out of the folder.
        return pa.concat_tables([read_arrow(folder / split / Path(name).name) for name in names])
    if parts := sorted(folder.glob(f"{split}-*.parquet")):
        return pa.concat_tables([validated(pq.read_table(part)) for part in parts])
    raise FileNotFoundError(f"found neither {split}/state.json nor {split}-*.parquet")
