"""Tasks of the experiment, one record each: name, classes and metrics."""

import difflib
from collections.abc import Mapping

import msgspec

from lottery.errors import UserError


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A classification or regression of sentences or sentence pairs.

    labels: names of the classes, from class 0; none for a regression, which is trained by mean squared error.
    metrics: those reported, the first in every table. search: the metric that drives the searches.
    """

    name: str
    title: str
    labels: tuple[str, ...]
    metrics: tuple[str, ...]
    search: str

    @property
    def regression(self) -> bool:
        return not self.labels

    @property
    def classes(self) -> int:
        """Number of outputs: 1 for a regression."""
        return len(self.labels) or 1


def _task(
    name: str, title: str, labels: tuple[str, ...], *metrics: str, search: str | None = None
) -> Task:
    search = search or metrics[0]
    return Task(name=name, title=title, labels=labels, metrics=metrics, search=search)


TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        _task("cola", "CoLA", ("unacceptable", "acceptable"), "matthews"),
        _task("sst2", "SST-2", ("negative", "positive"), "accuracy"),
        _task("mrpc", "MRPC", ("not_equivalent", "equivalent"), "accuracy", "f1"),
        _task("stsb", "STS-B", (), "pearson", "spearman", search="pearson_spearman"),
        _task("qqp", "QQP", ("not_duplicate", "duplicate"), "accuracy", "f1"),
        _task("mnli", "MNLI", ("entailment", "neutral", "contradiction"), "accuracy"),
        _task("qnli", "QNLI", ("entailment", "not_entailment"), "accuracy"),
        _task("rte", "RTE", ("entailment", "not_entailment"), "accuracy"),
        _task("wnli", "WNLI", ("not_entailment", "entailment"), "accuracy"),
        _task("sarcasm", "Sarcasm headlines", ("HuffPost", "The Onion"), "accuracy"),
        _task("privacyqa", "PrivacyQA", ("irrelevant", "relevant"), "accuracy"),
        _task("bshift", "Bigram shift", ("swapped", "original"), "matthews", "accuracy"),
    )
}


def get_task(name: str) -> Task:
    """The task called `name`. Raises UserError, listing all tasks, if there is none."""
    if name in TASKS:
        return TASKS[name]
    similar = difflib.get_close_matches(name.lower(), TASKS, n=1)
    hint = f"did you mean `{similar[0]}`? " if similar else ""
    raise UserError(f"unknown task `{name}`; {hint}known: {', '.join(TASKS)}")
