"""Description of an own task in the parameters: where its rows are, what its columns mean, how it is scored."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from lottery.errors import UserError, suggestion
from lottery.params import SHORT, structured
from lottery.tasks import Task
from lottery.vocabulary import METRICS

Text = Annotated[str, Meta(min_length=1)]
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
WHOLE_NUMBER = re.compile(r"(-?[0-9]+)\.0*")
"""As pandas writes the integers of a column with gaps: `1.0`."""
SPLIT = re.compile(r"train|dev(-[a-z0-9_-]+)?")
OF_REGRESSIONS = ("pearson", "spearman", "pearson_spearman")
OF_TWO_CLASSES = ("f1", "matthews")
NOT_STATED = "not stated"
RESERVED = ("assets", "code", "encoder", "meta", "patterns", "tasks")
"""Folders of the pipeline in data/ and data/assets/, where every task has one that is called as it."""


class TaskDescription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An own task: files or a data set of the hub, columns, classes, metrics, origin.

    files: one file, or a file for each split: CSV, TSV, JSON lines, Parquet, Arrow, or a folder of `save_to_disk`.
    hub: id of a data set, with its config and revision. splits: which of the splits that the hub or one folder has is
    `train`, and which `dev`. Without dev, dev_share of the rows are held out for it, stratified by class, drawn by
    the number `draw`; rows with the same value in the column `group` stay together. quotes: whether quotation marks
    in CSV and TSV enclose cells. classes: values of the label column, from class 0, or `regression`. metrics: those
    reported; search: the one that drives the searches. licence, language: for the report.
    """

    sentence: Text
    label: Text
    classes: Annotated[tuple[str | int | bool, ...], Meta(min_length=2)] | Literal["regression"]
    pair: Text | None = None
    group: Text | None = None
    files: Text | Annotated[dict[str, Text], Meta(min_length=1)] | None = None
    hub: Text | None = None
    config: Text | None = None
    revision: Text | None = None
    splits: Annotated[dict[str, Text], Meta(min_length=1)] | None = None
    quotes: bool = True
    dev_share: Annotated[float, Meta(gt=0, lt=1)] = 0.2
    draw: Annotated[int, Meta(ge=0, lt=2**32)] = 0
    metrics: Annotated[tuple[str, ...], Meta(min_length=1)] | None = None
    search: str | None = None
    title: Text | None = None
    licence: Text = NOT_STATED
    language: Text = NOT_STATED

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        named = (self.sentence, self.pair, self.label, self.group)
        return tuple(dict.fromkeys(column for column in named if column is not None))

    @property
    def paths(self) -> dict[str, Path]:
        """The file of every split; of train alone if one file or folder has all rows."""
        files = self.files or {}
        named = {"train": files} if isinstance(files, str) else files
        return {split: Path(file).expanduser() for split, file in named.items()}

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes, none for a regression."""
        return () if self.classes == "regression" else tuple(map(value_name, self.classes))


def value_name(value: Any) -> str:
    """A value of a column as the name of a class or group, empty if there is none.

    `1`, `1.0`, "1" and "1.0" are the same, and so are true and "True".
    """
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    if whole := WHOLE_NUMBER.fullmatch(text):
        return whole[1]
    return text.lower() if text in {"True", "False", "TRUE", "FALSE"} else text


def described_tasks(tree: Mapping[str, Any]) -> Iterator[Task]:
    """The own tasks in the section `data` of a parameter file. Raises UserError if a description cannot be right."""
    data = tree.get("data")
    tasks = data.get("tasks") if isinstance(data, Mapping) else None
    for name, values in tasks.items() if isinstance(tasks, Mapping) else ():
        yield described_task(name, values)


def described_task(name: Any, values: Any) -> Task:
    """The task `name` that `values` describe. Raises UserError if they cannot be right."""
    key = f"data.tasks.{SHORT.repr(name) if not isinstance(name, str) else name[:80]}"
    if not isinstance(name, str) or not NAME.fullmatch(name) or name in RESERVED:
        raise UserError(
            f"parameters: {key}: a task's name has lower-case letters, digits, `-` and `_`, and is none of"
            f" {', '.join(RESERVED)}"
        )
    description = structured(TaskDescription, key, values)
    for fault in (*_faults_of_source(description), *_faults_of_meaning(description)):
        raise UserError(f"parameters: {key}.{fault}")
    metrics = _metrics(description)
    default = "pearson_spearman" if description.metrics is None and not description.labels else None
    return Task(
        name=name,
        title=description.title or name,
        labels=description.labels,
        metrics=metrics,
        search=description.search or default or metrics[0],
    )


def _metrics(description: TaskDescription) -> tuple[str, ...]:
    default = ("accuracy",) if description.labels else ("pearson", "spearman")
    return description.metrics or default


def _faults_of_source(description: TaskDescription) -> Iterator[str]:
    """Faults in the keys that say where the rows are."""
    files, hub, splits = description.files, description.hub, description.splits
    if (files is None) == (hub is None):
        yield "files: give either `files`, or the id of a data set as `hub`"
    for key in ("config", "revision"):
        if hub is None and getattr(description, key) is not None:
            yield f"{key}: it belongs to a data set of the hub"
    if hub is not None and splits is None:
        yield "splits: say which split of the data set is which, as in {train: train, dev: validation}"
    if isinstance(files, dict) and splits is not None:
        yield "splits: `files` names the splits already"
    for key, names in (("files", files), ("splits", splits)):
        if isinstance(names, dict):
            yield from (
                f"{key}: unknown split `{name[:80]}`; known: train, dev, and further ones, dev-..."
                for name in names
                if not SPLIT.fullmatch(name)
            )
            if "train" not in names:
                yield f"{key}: there is no `train`"


def _faults_of_meaning(description: TaskDescription) -> Iterator[str]:
    """Faults in the keys for columns, classes and metrics."""
    labels, title = description.labels, description.title or ""
    if len(set(labels)) < len(labels):
        yield f"classes: {', '.join(labels)}: a class is given more than once"
    if description.label in (description.sentence, description.pair):
        yield f"label: `{description.label}` is a column of text already"
    if not title.isprintable():
        yield f"title: {title!r} is not one line of text"
    metrics = _metrics(description)
    if len(set(metrics)) < len(metrics):
        yield f"metrics: {', '.join(metrics)}: a metric is given more than once"
    for metric in (*metrics, *filter(None, [description.search])):
        if metric not in METRICS:
            yield f"metrics: unknown metric `{metric[:80]}`{suggestion(metric, METRICS)}"
        elif (metric in OF_REGRESSIONS) != (not labels):
            yield f"metrics: {metric} is not for {'classes' if labels else 'a regression'}"
        elif metric in OF_TWO_CLASSES and len(labels) != 2:
            yield f"metrics: {metric} is for two classes, not {len(labels)}"
