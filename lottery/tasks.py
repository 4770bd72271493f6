"""Tasks of the experiment, one record each: name, number of classes and metrics."""

import difflib
from collections.abc import Mapping

import msgspec

from lottery.errors import UserError


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A classification or regression of sentences or sentence pairs.

    metrics: those reported, the first in every table. search: the metric that drives the searches. classes: 1 for a
    regression, which is trained by mean squared error.
    """

    name: str
    title: str
    classes: int
    metrics: tuple[str, ...]
    search: str

    @property
    def regression(self) -> bool:
        return self.classes == 1


def _task(name: str, title: str, *metrics: str, classes: int = 2, search: str = "") -> Task:
    search = search or metrics[0]
    return Task(name=name, title=title, classes=classes, metrics=metrics, search=search)


TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        _task("cola", "CoLA", "matthews"),
        _task("sst2", "SST-2", "accuracy"),
        _task("mrpc", "MRPC", "accuracy", "f1"),
        _task("stsb", "STS-B", "pearson", "spearman", classes=1, search="pearson_spearman"),
        _task("qqp", "QQP", "accuracy", "f1"),
        _task("mnli", "MNLI", "accuracy", classes=3),
        _task("qnli", "QNLI", "accuracy"),
        _task("rte", "RTE", "accuracy"),
        _task("wnli", "WNLI", "accuracy"),
        _task("sarcasm", "Sarcasm headlines", "accuracy"),
        _task("privacyqa", "PrivacyQA", "accuracy"),
        _task("bshift", "Bigram shift", "matthews", "accuracy"),
    )
}


def get_task(name: str) -> Task:
    """The task called `name`. Raises UserError, listing all tasks, if there is none."""
    if name in TASKS:
        return TASKS[name]
    similar = difflib.get_close_matches(name, TASKS, n=1)
    hint = f"did you mean `{similar[0]}`? " if similar else ""
    raise UserError(f"unknown task `{name}`; {hint}known: {', '.join(TASKS)}")
