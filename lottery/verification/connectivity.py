"""Checks of connectivity: each point of each line has its scores, and lines begin with the retrained tickets."""

import math
from collections import Counter

from lottery import records
from lottery.grid import cell_name
from lottery.tasks import get_task
from lottery.tickets.connectivity import ConnectivityParameters, ConnectivityScore
from lottery.verification.run import CellOutputs, Findings, FinishedRun


def connected(run: FinishedRun, parameters: ConnectivityParameters, tolerance: float) -> Findings:
    """Each point has one score in every metric on dev, and no other has any; the first is the retrained score.

    The second training is not repeated, and its weights are not kept: hashes protect its scores.
    """
    for task, seed in parameters.cells(run.grid):
        table = records.read_cells(
            ConnectivityScore, [(task, seed)], run.scores, "connectivity.parquet"
        )
        rows = records.structs(ConnectivityScore, table)
        yield from _counts(rows, parameters, task, seed)
        yield from _beginnings(rows, CellOutputs(run, get_task(task), seed), tolerance)


def _counts(
    rows: list[ConnectivityScore], parameters: ConnectivityParameters, task: str, seed: int
) -> Findings:
    measured = Counter(
        (row.method, row.kind, row.position, row.metric) for row in rows if row.split == "dev"
    )
    due = Counter(
        (key.method, key.kind, position, metric)
        for key in parameters.keys
        for position in parameters.positions
        for metric in get_task(task).metrics
    )
    for point in sorted({*measured, *due}):
        method, kind, position, metric = point
        label = f"{cell_name(task, seed)}: {method} {kind} at {position:g}, {metric}"
        text = f"{label}: {measured[point]} scores of a point that has {due[point]}"
        yield None if measured[point] == due[point] else text


def _beginnings(rows: list[ConnectivityScore], cell: CellOutputs, tolerance: float) -> Findings:
    """The first points of lines whose tickets are scored retrained have the scores recorded there."""
    recorded = {
        (score.method, score.kind, score.metric): score.value
        for score in cell.scores()
        if (score.split, score.draw, score.matched) == ("dev", 0, None)
        if score.state == ("finetuned" if score.kind == "full" else "retrained")
    }
    for row in rows:
        expected = recorded.get((row.method, row.kind, row.metric))
        if row.position == 0 and expected is not None:
            both_undefined = math.isnan(row.value) and math.isnan(expected)
            same = both_undefined or abs(row.value - expected) <= tolerance
            label = f"{cell}: the line of {row.method} {row.kind}"
            text = f"{label} begins with {row.metric} {row.value:g}, recorded: {expected:g}"
            yield None if same else text
