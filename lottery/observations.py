"""What each cell has to say about the claims: a row per task and seed, a column per quantity.

Columns: `full` and `majority`, the reported metric on dev; `<method> <kind> <state>`, that of a subnetwork;
`<unit> across seeds` and `across tasks`, Cohen's kappa of the good subnetwork and its fellows of the same task
or seed, in the mean; `unimportant heads`, the share of heads in the lowest third of the range of importances;
`heterogeneous all` and `heterogeneous super`, the share of heterogeneous maps of all heads and of super-survivors.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from lottery.masks import Good
from lottery.survivors import Survivors, structured
from lottery.tasks import TASKS

CELL = ["task", "seed"]


@dataclass(frozen=True)
class Observed:
    """The quantities [cells, columns] of the sound cells, NaN where one has none; and the degenerate cells.

    Degenerate is a cell whose full model has no score, or none above the majority class.
    """

    values: pd.DataFrame
    degenerate: tuple[tuple[str, int], ...]


def observe(
    cells: pd.DataFrame,
    found: Sequence[Survivors],
    importance: pd.DataFrame,
    attention: pd.DataFrame,
) -> Observed:
    """From the scores (`tables.cells`), the good subnetworks, the importances of the unpruned models, and the
    attention of their heads (`meaning.contrast`)."""
    scores, degenerate = _sound(cells)
    own = [each for each in found if (each.task, each.seed) in scores.index]
    values = scores.join(likeness(own)).join(unimportant(importance)).join(attention)
    return Observed(values, degenerate)


def published(results: pd.DataFrame, goods: Sequence[Good]) -> Observed:
    """The authors' figures: scores per task, which are means over their seeds, and masks per task and seed."""
    scores, degenerate = _sound(results.assign(seed=-1, value=results["mean"], reported=True))
    sound = set(scores.index.get_level_values("task"))
    names = {task.title: name for name, task in TASKS.items()}
    found = [structured(names[good.task], good.seed, good.kept) for good in goods]
    return Observed(
        pd.concat([scores, likeness([each for each in found if each.task in sound])]), degenerate
    )


def _sound(cells: pd.DataFrame) -> tuple[pd.DataFrame, tuple[tuple[str, int], ...]]:
    own = cells[cells["reported"]]
    name = (own["method"] + " " + own["kind"] + " " + own["state"]).replace(
        {"full full finetuned": "full", "full majority finetuned": "majority"}
    )
    scores = own.assign(name=name).pivot(index=CELL, columns="name", values="value")
    sound = scores["full"] > scores["majority"]
    return scores[sound], tuple(scores.index[~sound])


def likeness(found: Sequence[Survivors]) -> pd.DataFrame:
    """Each cell's mean kappa with its fellows: the same task with other seeds, the same seed in other tasks."""
    rows = [
        (task, seed, f"{unit} across {others}", kappa)
        for a, b in combinations(found, 2)
        if a.method == b.method and (a.task == b.task) != (a.seed == b.seed)
        for others in ("seeds" if a.task == b.task else "tasks",)
        for unit, kappa in kappas(a, b)
        for task, seed in ((a.task, a.seed), (b.task, b.seed))
    ]
    frame = pd.DataFrame(rows, columns=[*CELL, "name", "kappa"])
    return frame.pivot_table(index=CELL, columns="name", values="kappa", aggfunc="mean")


def kappas(a: Survivors, b: Survivors) -> Iterator[tuple[str, float]]:
    """Cohen's kappa of two subnetworks, unit by unit; NaN where both keep everything, or both nothing."""
    for unit, total in a.totals.items():
        shared = int(np.bitwise_count(a.bits[unit] & b.bits[unit]).sum())
        first, second = (int(np.bitwise_count(each.bits[unit]).sum()) for each in (a, b))
        chance = first * second / total
        mean = (first + second) / 2
        yield unit, (shared - chance) / (mean - chance) if mean > chance else float("nan")


def unimportant(importance: pd.DataFrame) -> pd.DataFrame:
    """Share of each cell's heads in the lowest third between its least and its most important head."""
    heads = importance[importance["unit"] == "heads"]
    shares = heads.groupby(CELL)["importance"].agg(_lowest_third)
    return shares.rename("unimportant heads").to_frame()


def _lowest_third(values: "pd.Series[float]") -> float:
    low, high = values.min(), values.max()
    return float((values <= low + (high - low) / 3).mean()) if high > low else float("nan")
