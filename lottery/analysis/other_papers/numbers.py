"""Numbers that other papers published, and ours beside them.

Only what was read in the source counts as read; the rest is from notes and says "not verified".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from lottery.analysis import rewinding
from lottery.analysis.columns import CELL
from lottery.analysis.estimate import NAN
from lottery.analysis.other_papers import claims
from lottery.analysis.other_papers.claims import CHEN, FRANKLE, GORDON, LIANG, Paper
from lottery.tasks import TASKS
from lottery.tickets import rewound
from lottery.tickets.methods import STRUCTURED
from lottery.vocabulary import WHOLE

Unit = Literal["share", "points"]
READ, NOT_VERIFIED = "read in the source", "not verified"
COLUMNS = ["paper", "place", "quantity", "published", "status", "unit", "ours"]


@dataclass(frozen=True)
class PublishedNumber:
    """A number of a paper, with the name of our quantity beside it, if a run of this project has one."""

    paper: Paper
    place: str
    quantity: str
    value: str
    status: str
    unit: Unit
    ours: str = ""


def _sparsities() -> Iterator[PublishedNumber]:
    """Chen et al.'s highest sparsities of matching subnetworks: appendix A repeats all of Table 2 but MNLI's."""
    by_task = {
        "mnli": 70, "qqp": 90, "stsb": 50, "qnli": 70, "mrpc": 50, "rte": 60, "sst2": 60, "cola": 50,
    }  # fmt: skip
    for task, percent in by_task.items():
        place, status = ("Table 2", NOT_VERIFIED) if task == "mnli" else ("appendix A", READ)
        title = f"{TASKS[task].title}: highest sparsity that matches"
        yield PublishedNumber(
            CHEN, place, title, f"{percent} %", status, "share", f"{task} matches"
        )


def _scores() -> Iterator[PublishedNumber]:
    """Chen et al.'s scores: full model, mask at its highest matching sparsity, random mask of that size."""
    quantities = {"full model": claims.FULL, "mask": claims.REWOUND, "random mask": claims.RANDOM}
    for task, values in {"sst2": (92.1, 91.9, 83.1), "stsb": (88.4, 88.2, 21.0)}.items():
        for (name, quantity), value in zip(quantities.items(), values, strict=True):
            title = f"{TASKS[task].title}: score of the {name}"
            ours = f"{task} {quantity}"
            yield PublishedNumber(CHEN, "Table 2", title, f"{value}", NOT_VERIFIED, "points", ours)


NUMBERS = (
    PublishedNumber(
        FRANKLE, "abstract", "weights that winning tickets keep", "less than 10-20 %", READ, "share", "kept by winning"
    ),
    PublishedNumber(
        CHEN, "abstract", "sparsity of matching subnetworks", "40-90 %", READ, "share", "matches"
    ),
    *_sparsities(),
    PublishedNumber(
        CHEN, "appendix A", "masked language modelling: highest sparsity that matches", "70 %", READ, "share"
    ),
    *_scores(),
    PublishedNumber(
        GORDON, "abstract", "weights pruned before fine-tuning without effect", "30-40 %", READ, "share",
        "pretrained matches",
    ),
    PublishedNumber(
        LIANG, "abstract", "gain of super tickets, BERT-base, mean over GLUE", "0.9 points", READ, "points",
        "gain of good",
    ),
    PublishedNumber(LIANG, "abstract", "the same, BERT-large", "1.0 points", READ, "points"),
)  # fmt: skip
"""The published numbers."""


def table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per published number; ours is missing where the run did not measure it."""
    ours = {**_gain(tables["cells"]), **_of_rewinding(tables.get("rewinding"))}
    rows = [
        (
            number.paper.name,
            number.place,
            number.quantity,
            number.value,
            number.status,
            number.unit,
            ours.get(number.ours, NAN),
        )
        for number in NUMBERS
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _gain(cells: pd.DataFrame) -> dict[str, float]:
    """Mean over tasks of the score of retrained good tickets of s-pruning, less that of the full model, in points."""
    scored = cells[cells["reported"] & cells["usable"] & cells["matched"].isna()]
    good = scored[
        (scored["method"] == STRUCTURED.name)
        & (scored["kind"] == "good")
        & (scored["state"] == "retrained")
    ]
    full = scored[(scored["method"] == WHOLE) & (scored["kind"] == "full")]
    gains = good.set_index(CELL)["value"] - full.set_index(CELL)["value"]
    return {"gain of good": 100 * float(gains.groupby("task").mean().mean())}


def _of_rewinding(means: pd.DataFrame | None) -> dict[str, float]:
    """The largest sparsities that match, and scores at the sparsities of controls, of a run that rewinds.

    Where no pruned mask of a task matches, or wins, the largest sparsity is that of the full model, 0.
    """
    if means is None or means.empty:
        return {}
    tasks = means["task"].unique().tolist()

    def sparsest(column: str, control: str = rewound.REWOUND) -> list[float]:
        if means.loc[means["control"] == control, column].isna().all():
            return [NAN for _ in tasks]
        return [rewinding.sparsest(means, column, task, control) or 0.0 for task in tasks]

    matching = sparsest("matches")
    ours = {
        "kept by winning": 1 - float(np.mean(sparsest("wins"))),
        "matches": float(np.mean(matching)),
        "pretrained matches": float(np.mean(sparsest("matches", "pretrained"))),
        **{f"{task} matches": sparsity for task, sparsity in zip(tasks, matching, strict=True)},
    }
    controlled = means.loc[means["control"] != rewound.REWOUND, "sparsity"].unique()
    at_controls = means[means["sparsity"].isin(controlled)]
    for name, control, rows in (
        (claims.FULL, rewound.REWOUND, means[means["sparsity"] == 0]),
        (claims.REWOUND, rewound.REWOUND, at_controls),
        (claims.RANDOM, "random", at_controls),
    ):
        of_tasks = rows[rows["control"] == control].groupby("task")["mean"].mean()
        ours |= {f"{task} {name}": 100 * float(score) for task, score in of_tasks.items()}
    return ours
