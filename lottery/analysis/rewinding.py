"""Do masks found by iterative pruning with rewinding match the full model, and do they win?

A mask matches if its mean score over seeds is at least that of the full model less one standard deviation of the latter
over seeds (Chen et al. 2020). It wins if it matches and is above random masks of its size and above the same mask on
random weights, as Frankle and Carbin (2019) ask. What these papers claim is tested in `papers`.
"""

from pathlib import Path

import pandas as pd

from lottery.analysis.columns import CELL
from lottery.analysis.frames import of_cells, possible, spread
from lottery.analysis.strata import Mean, mean_of_cells
from lottery.analysis.trained import first_metric, of_sound_cells
from lottery.grid import GridParameters
from lottery.schemas import RewindScore
from lottery.tasks import get_task
from lottery.tickets.parameters import RewindParameters
from lottery.tickets.rewound import CONTROLS, RANDOM, REINITIALISED, REWOUND

SCORED = ["task", "sparsity", "control"]


def gather(grid: GridParameters, rewind: RewindParameters, scores: Path) -> pd.DataFrame:
    """The scores of all cells that are rewound; empty if there are none.

    Raises UserError if a file is missing or belongs to another cell.
    """
    return of_cells(RewindScore, rewind.cells(grid), scores, "rewind.parquet")


def tables(scores: pd.DataFrame, cells: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables of rewound masks and their controls in sound cells; none if nothing was rewound."""
    if scores.empty:
        return {}
    values = reported(of_sound_cells(scores, cells))
    return {"rewinding": means(values), "rewinding-differences": differences(values)}


def reported(scores: pd.DataFrame) -> pd.DataFrame:
    """The first metric of each task on dev: a row per cell, sparsity and control, over the draws of a control."""
    by = [*CELL, "sparsity", "control"]
    # Sparsities are multiples of the rate: equal ones must be equal numbers.
    rounded = first_metric(scores).assign(sparsity=lambda rows: rows["sparsity"].round(6))
    return rounded.groupby(by, sort=False)["value"].mean().reset_index()


def means(values: pd.DataFrame) -> pd.DataFrame:
    """Mean score over seeds with its interval, by task, sparsity and control; whether the mask matches and wins.

    `matches` is missing with a single seed, which has no standard deviation; `wins` is, too, where no controls were
    trained.
    """
    frame = spread(values, SCORED)
    frame = possible(frame, frame["task"].map(lambda task: get_task(task).metrics[0]))
    mean = frame.set_index(SCORED)["mean"].to_dict()
    full = frame[(frame["control"] == REWOUND) & (frame["sparsity"] == 0)].set_index("task")
    least = full["mean"] - full["std"]
    of_task = frame["task"].map(least)
    matches = (frame["mean"] >= of_task).astype(object).where(of_task.notna(), None)
    frame = frame.assign(matches=matches)
    wins = []
    for row in frame.itertuples(index=False):
        rivals = [
            mean.get((row.task, row.sparsity, name)) for name in (RANDOM.name, REINITIALISED.name)
        ]
        tested = row.control == REWOUND and row.matches is not None and None not in rivals
        beaten = all(row.mean > rival for rival in rivals if rival is not None)
        wins.append(bool(row.matches and beaten) if tested else None)
    return frame.assign(wins=pd.Series(wins, dtype=object))


def differences(scored: pd.DataFrame) -> pd.DataFrame:
    """Rewound masks less each of CONTROLS at each sparsity of controls: mean over tasks, in their metrics.

    With its 95 % interval, of the t test over tasks and seeds (docs/evidence.md).
    """
    values = scored.pivot_table(index=[*CELL, "sparsity"], columns="control", values="value")
    rows = []
    for sparsity in sorted(set(scored.loc[scored["control"] != REWOUND, "sparsity"])):
        at = values.xs(sparsity, level="sparsity")
        for control in CONTROLS:
            if control.name in at:
                pairs = (at[REWOUND] - at[control.name]).dropna()
                rows.append((control.name, sparsity, *mean_of_cells(pairs)))
    return pd.DataFrame(rows, columns=["control", "sparsity", *Mean._fields])


def sparsest(means: pd.DataFrame, column: str, task: str, control: str = REWOUND) -> float | None:
    """The largest sparsity at which the mask of a task matches, or wins; None if at none."""
    rewound = means[(means["control"] == control) & (means["task"] == task)]
    sparsities = rewound.loc[rewound[column].eq(True) & (rewound["sparsity"] > 0), "sparsity"]
    return float(sparsities.max()) if len(sparsities) else None
