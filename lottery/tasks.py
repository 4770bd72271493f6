"""The tasks as records: what is asked, how it is measured, what a blind guess reaches."""

import difflib
from collections.abc import Mapping

import msgspec

from lottery.errors import UserError


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence or sentence-pair task.

    `metrics` are reported, the first one in the tables; `search` is what a search must keep above its
    threshold. `classes == 1` marks a regression, trained on standardised labels by mean squared error.
    """

    name: str
    title: str
    classes: int
    metrics: tuple[str, ...]
    search: str
    kind: str

    @property
    def regression(self) -> bool:
        return self.classes == 1


def _task(
    name: str, title: str, kind: str, *metrics: str, classes: int = 2, search: str = ""
) -> Task:
    return Task(
        name=name,
        title=title,
        kind=kind,
        classes=classes,
        metrics=metrics,
        search=search or metrics[0],
    )


TASKS: Mapping[str, Task] = {
    get_task.name: get_task
    for get_task in (
        _task("cola", "CoLA", "acceptability", "matthews"),
        _task("sst2", "SST-2", "sentiment", "accuracy"),
        _task("mrpc", "MRPC", "paraphrase", "accuracy", "f1"),
        _task(
            "stsb", "STS-B", "similarity",
            "pearson", "spearman", classes=1, search="pearson_spearman",
        ),
        _task("qqp", "QQP", "paraphrase", "accuracy", "f1"),
        _task("mnli", "MNLI", "entailment", "accuracy", classes=3),
        _task("qnli", "QNLI", "question and sentence", "accuracy"),
        _task("rte", "RTE", "entailment", "accuracy"),
        _task("wnli", "WNLI", "coreference", "accuracy"),
        _task("privacyqa", "PrivacyQA", "question and sentence", "accuracy"),
        _task("bshift", "Bigram shift", "acceptability", "matthews", "accuracy"),
    )
}  # fmt: skip


def get_task(name: str) -> Task:
    """The task called `name`, or a UserError that lists what exists."""
    if name in TASKS:
        return TASKS[name]
    near = difflib.get_close_matches(name, TASKS, n=1)
    hint = f"did you mean `{near[0]}`? " if near else ""
    raise UserError(f"unknown task `{name}`; {hint}known: {', '.join(TASKS)}")
