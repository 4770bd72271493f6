"""Tasks of the experiment, one record each: name, classes and metrics."""

from collections.abc import Iterable, Mapping

import msgspec

from lottery.errors import UserError, suggestion


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A classification or regression of sentences or sentence pairs.

    labels: names of the classes, from class 0; none for a regression, which is trained by mean squared error.
    metrics: those reported, the first in every table. search: the metric that drives the searches.
    merged: for a further dev split that has fewer classes, the label that each class of the model counts as.
    """

    name: str
    title: str
    labels: tuple[str, ...]
    metrics: tuple[str, ...]
    search: str
    merged: Mapping[str, tuple[int, ...]] = {}

    @property
    def regression(self) -> bool:
        """True if its labels are numbers."""
        return not self.labels

    @property
    def classes(self) -> int:
        """Number of outputs: 1 for a regression."""
        return len(self.labels) or 1

    def label_of_class(self, split: str) -> tuple[int, ...]:
        """The label that each class of the model counts as on a split: itself, unless the split has fewer classes."""
        return self.merged.get(split, tuple(range(self.classes)))


def _task(
    name: str,
    title: str,
    labels: tuple[str, ...],
    *metrics: str,
    search: str | None = None,
    merged: Mapping[str, tuple[int, ...]] | None = None,
) -> Task:
    return Task(
        name=name,
        title=title,
        labels=labels,
        metrics=metrics,
        search=search or metrics[0],
        merged=merged or {},
    )


TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        _task("cola", "CoLA", ("unacceptable", "acceptable"), "matthews"),
        _task("sst2", "SST-2", ("negative", "positive"), "accuracy"),
        _task("mrpc", "MRPC", ("not_equivalent", "equivalent"), "accuracy", "f1"),
        _task("stsb", "STS-B", (), "pearson", "spearman", search="pearson_spearman"),
        _task("qqp", "QQP", ("not_duplicate", "duplicate"), "accuracy", "f1"),
        _task(
            "mnli",
            "MNLI",
            ("entailment", "neutral", "contradiction"),
            "accuracy",
            merged={"dev-hans": (0, 1, 1)},  # HANS has entailment and non-entailment
        ),
        _task("qnli", "QNLI", ("entailment", "not_entailment"), "accuracy"),
        _task("rte", "RTE", ("entailment", "not_entailment"), "accuracy"),
        _task("wnli", "WNLI", ("not_entailment", "entailment"), "accuracy"),
        _task("sarcasm", "Sarcasm headlines", ("HuffPost", "The Onion"), "accuracy"),
        _task("privacyqa", "PrivacyQA", ("irrelevant", "relevant"), "accuracy"),
        _task("bshift", "Bigram shift", ("swapped", "original"), "matthews", "accuracy"),
    )
}


_DECLARED: dict[str, Task] = {}
"""Own tasks of this process's parameter file; worker processes are handed Task values."""


def declare(tasks: Iterable[Task]) -> None:
    """Make these own tasks known, in place of those declared before.

    Raises UserError if a name or a title is that of a task of the project.
    """
    declared = {task.name: task for task in tasks}
    titles = {task.title: task.name for task in TASKS.values()}
    for task in declared.values():
        if task.name in TASKS:
            raise UserError(
                f"parameters: data.tasks.{task.name}: the project has a task `{task.name}`; choose another name"
            )
        if (other := titles.setdefault(task.title, task.name)) != task.name:
            raise UserError(
                f"parameters: data.tasks.{task.name}.title = {task.title!r} is the title of `{other}`;"
                " choose another"
            )
    _DECLARED.clear()
    _DECLARED.update(declared)


def get_task(name: str) -> Task:
    """The task called `name`, of the project or declared. Raises UserError if there is none."""
    by_name = {**TASKS, **_DECLARED}
    if name in by_name:
        return by_name[name]
    raise UserError(f"unknown task `{name}`{suggestion(name, by_name)}")
