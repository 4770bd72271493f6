"""Tables of verdicts: over all tasks, in each task, and the effects of cells."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from lottery.analysis.estimate import NAN, Estimate
from lottery.analysis.kappas import ALL_TASKS
from lottery.analysis.verdicts import ClaimDecision

Published = Mapping[str, ClaimDecision]
CLAIM = [
    "claim", "family", "clause", "section", "sentence", "test", "verdict", "effect", "low", "high", "unit", "cells",
    "replicates", "tasks", "p", "p_adjusted", "detectable", "published_verdict", "published_effect", "supporting",
]  # fmt: skip
TASK = [
    "claim", "task", "verdict", "effect", "low", "high", "cells", "p", "detectable", "published_effect",
    "published_low", "published_high",
]  # fmt: skip


def over_tasks(decisions: Sequence[ClaimDecision], published: Published) -> pd.DataFrame:
    """One row per claim: its verdict, effect and interval over all tasks, beside those of the published data.

    `supporting` is the number of tasks in which the claim holds, at least. `replicates`: what `cells` counts, cells,
    heads or seeds. `detectable` is the smallest effect that the test finds with a power of 80 %.
    """
    return pd.DataFrame([_row(decision, published) for decision in decisions], columns=CLAIM)


def _row(decision: ClaimDecision, published: Published) -> dict[str, object]:
    claim, overall, estimate = decision.claim, decision.overall, decision.overall.estimate
    authors = published[claim.name].overall if claim.name in published else None
    return {
        "claim": claim.name,
        "family": decision.family,
        "clause": claim.clause,
        "section": claim.section,
        "sentence": claim.sentence,
        "test": claim.test,
        "verdict": overall.verdict,
        "effect": estimate.effect,
        "low": overall.low,
        "high": overall.high,
        "unit": claim.parts[0].unit,
        "cells": estimate.cells,
        "replicates": _replicates(estimate),
        "tasks": estimate.tasks,
        "p": overall.p,
        "p_adjusted": overall.p_adjusted,
        "detectable": overall.detectable,
        "published_verdict": authors.verdict if authors else "untested",
        "published_effect": authors.estimate.effect if authors else NAN,
        "supporting": decision.supporting,
    }


def _replicates(estimate: Estimate) -> str:
    """The replicates of a run's estimate: heads, if it is of summaries of tasks; seeds, if of all tasks together."""
    tasks = {cell.task for cell in estimate.by_cell}
    if estimate.cells and not tasks:
        return "heads"
    return "seeds" if tasks == {ALL_TASKS} else "cells"


def by_task(decisions: Sequence[ClaimDecision], published: Published) -> pd.DataFrame:
    """One row per claim and task, of the run or of the publication."""
    return pd.DataFrame(
        [row for decision in decisions for row in _task_rows(decision, published)], columns=TASK
    )


def _task_rows(decision: ClaimDecision, published: Published) -> Iterator[dict[str, object]]:
    name = decision.claim.name
    authors = published[name].tasks if name in published else {}
    for task in dict.fromkeys([*decision.tasks, *authors]):
        ours, theirs = decision.tasks.get(task), authors.get(task)
        yield {
            "claim": name,
            "task": task,
            "verdict": ours.verdict if ours else "untested",
            "effect": ours.estimate.effect if ours else NAN,
            "low": ours.low if ours else NAN,
            "high": ours.high if ours else NAN,
            "cells": ours.estimate.cells if ours else 0,
            "p": ours.p if ours else NAN,
            "detectable": ours.detectable if ours else NAN,
            "published_effect": theirs.estimate.effect if theirs else NAN,
            "published_low": theirs.low if theirs else NAN,
            "published_high": theirs.high if theirs else NAN,
        }


def by_cell(decisions: Sequence[ClaimDecision]) -> pd.DataFrame:
    """The effect of every claim in every cell, in which it is defined: claim, task, seed, effect."""
    rows = [
        (decision.claim.name, cell.task, cell.seed, cell.effect)
        for decision in decisions
        for cell in decision.overall.estimate.by_cell
    ]
    return pd.DataFrame(rows, columns=["claim", "task", "seed", "effect"])
