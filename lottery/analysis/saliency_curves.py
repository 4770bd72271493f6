"""Worth of saliencies: how much of the score their rankings keep, at which sparsity, and how far rankings agree.

Only sound cells count, and of each search its first phase, whose steps are as large with every saliency.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lottery.analysis.columns import CELL
from lottery.analysis.experiments import Experiment, changed_parameters
from lottery.analysis.frames import spread
from lottery.analysis.score_tables import first_phase
from lottery.metrics import spearman
from lottery.tickets.methods import MAGNITUDE, STRUCTURED

Array = NDArray[np.float64]
KEPT = 0.9
"""The share of the full model's score at which sparsities are compared, that of the paper."""
COMPARED = {"importance.saliency": STRUCTURED.name, "magnitude.saliency": MAGNITUDE.name}
"""The methods whose saliency each parameter sets."""
MEASURES = ("area", "sparsity", "spearman")


def compared(runs: Sequence[Experiment]) -> list[str]:
    """The methods whose saliency differs between the runs, by name."""
    changed = changed_parameters(runs)
    return [method for parameter, method in COMPARED.items() if parameter in changed]


def measures(runs: Sequence[Experiment]) -> pd.DataFrame:
    """Means over tasks within a seed, then over seeds with 95 % intervals: run, method, measure.

    area: mean chance-corrected score from sparsity 0 to where the curve ends. sparsity: largest one up to which the
    score stays at KEPT of the full model's. spearman: correlation of the importance of heads in the unpruned model with
    that of the same cell of the first run.
    """
    rows = [
        (run.name, method, *row)
        for run in runs
        for method in compared(runs)
        for row in (*_curves(run, method), *_rankings(run, runs[0], method))
    ]
    frame = pd.DataFrame(rows, columns=["run", "method", "measure", *CELL, "value"])
    by = ["run", "method", "measure"]
    of_seeds = frame.groupby([*by, "seed"], sort=False)["value"].mean().reset_index()
    return spread(of_seeds, by)


def _curves(run: Experiment, method: str) -> Iterator[tuple[str, str, int, float]]:
    steps = first_phase(run.tables["curves"])
    for (task, seed), curve in _sound(run, steps[steps["method"] == method]).groupby(CELL):
        ordered = curve.sort_values("sparsity")
        removed, scores = (ordered[name].to_numpy(float) for name in ("sparsity", "score"))
        full, guess = (float(ordered[name].iloc[0]) for name in ("full_score", "guess"))
        cell = (str(task), int(str(seed)))
        yield "area", *cell, area(removed, (scores - guess) / (full - guess))
        yield "sparsity", *cell, lasting(removed, scores / full)


def _rankings(
    run: Experiment, base: Experiment, method: str
) -> Iterator[tuple[str, str, int, float]]:
    if method != STRUCTURED.name or not all(
        "rankings" in tables for tables in (run.tables, base.tables)
    ):
        return
    varied, fixed = (
        _sound(experiment, experiment.tables["rankings"]) for experiment in (run, base)
    )
    keys = [*CELL, "unit", "layer", "index"]
    both = varied[varied["unit"] == "heads"].merge(fixed, on=keys)
    for (task, seed), heads in both.groupby(CELL):
        values = (heads[f"importance_{side}"].to_numpy(float) for side in ("x", "y"))
        yield "spearman", str(task), int(str(seed)), spearman(*values)


def _sound(run: Experiment, frame: pd.DataFrame) -> pd.DataFrame:
    cells = run.tables["cells"]
    return frame.merge(cells.loc[cells["sound"], CELL].drop_duplicates(), on=CELL)


def area(removed: Array, kept: Array) -> float:
    """Area under a curve of scores over ascending sparsities, as a share of their range; NaN for a single point."""
    width = removed[-1] - removed[0]
    return float(np.trapezoid(kept, removed) / width) if width else float("nan")


def lasting(removed: Array, share: Array) -> float:
    """The sparsity at which a curve first falls below KEPT, between the two steps on a straight line."""
    below = np.flatnonzero(share < KEPT)
    if not len(below):
        return float(removed[-1])
    first = below[0]
    if not first:
        return float("nan")
    high, low = share[first - 1], share[first]
    part = (high - KEPT) / (high - low)
    return float(removed[first - 1] + part * (removed[first] - removed[first - 1]))
