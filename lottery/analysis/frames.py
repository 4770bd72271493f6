"""Data frames: mean and spread over seeds, order of rows, CSV files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from lottery import records
from lottery.analysis.columns import OWN_SIZE
from lottery.analysis.intervals import interval
from lottery.errors import MALFORMED, UserError
from lottery.metrics import lowest
from lottery.tasks import get_task
from lottery.tickets.methods import METHODS
from lottery.vocabulary import KINDS, STATES, UNITS, WHOLE

SPREAD = ["mean", "std", "low", "high", "n"]


def of_cells(
    kind: type[msgspec.Struct], cells: Sequence[tuple[str, int]], folder: Path, name: str
) -> pd.DataFrame:
    """The records in `folder`/<task>/<seed>/<name> of all cells; empty if there are no cells.

    Raises UserError if a file is missing or belongs to another cell.
    """
    if not cells:
        return pd.DataFrame(columns=kind.__struct_fields__)
    frame: pd.DataFrame = records.read_cells(kind, cells, folder, name).to_pandas()
    return frame


def is_reported(scores: pd.DataFrame) -> "pd.Series[bool]":
    """Marks the scores that are reported: the first metric of each task, on dev."""
    first = {task: get_task(str(task)).metrics[0] for task in scores["task"].unique()}
    return (scores["split"] == "dev") & (scores["metric"] == scores["task"].map(first))


def spread(frame: pd.DataFrame, by: Sequence[str], value: str = "value") -> pd.DataFrame:
    """Mean, std (ddof 1), 95 % interval and number of the values in each group of rows.

    NaN values are left out; the column `undefined` counts them.
    """
    rows = []
    for keys, group in frame.groupby(list(by), sort=False, dropna=False):
        defined = group[value].dropna()
        rows.append(
            dict(zip(by, keys, strict=True))
            | asdict(interval(defined.tolist()))
            | {"undefined": len(group) - len(defined)}
        )
    return pd.DataFrame(rows, columns=[*by, *SPREAD, "undefined"])


def possible(spreads: pd.DataFrame, metric: "pd.Series[str]") -> pd.DataFrame:
    """Spreads whose intervals are cut at the values that their metric cannot exceed."""
    low = spreads["low"].clip(lower=metric.map(lowest).astype(float))
    return spreads.assign(low=low, high=spreads["high"].clip(upper=1.0))


def ordered(frame: pd.DataFrame, tasks: Sequence[str], by: Sequence[str]) -> pd.DataFrame:
    """Sort rows in the order of the grid's tasks and of the vocabulary, by the columns `by`, outermost first."""
    places: Mapping[str, Sequence[str]] = {
        "task": tasks,
        "method": [WHOLE, *METHODS],
        "kind": list(KINDS),
        "state": list(STATES),
        "unit": list(UNITS),
    }
    keys = frame.assign(
        **{
            column: frame[column].map({name: rank for rank, name in enumerate(places[column])})
            for column in by
            if column in places
        }
    )
    if "matched" in by:
        keys["matched"] = keys["matched"].fillna(OWN_SIZE)
    return frame.loc[keys.sort_values(list(by), kind="stable").index].reset_index(drop=True)


def stacked(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Frames below one another; empty ones, whose columns have no types, give their columns alone."""
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames[0]


def beside(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The columns of frames beside one another, by their index; empty frames are left out."""
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, axis=1) if filled else pd.DataFrame()


def rows(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows of a frame, with columns as attributes."""
    return frame.itertuples(index=False)


def save(frame: pd.DataFrame, path: Path) -> None:
    """Write a CSV table. Numbers get 6 significant digits, so that equal results are equal bytes."""
    frame.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


class Tables(dict[str, pd.DataFrame]):
    """The tables of a folder by name. Raises UserError if one is malformed, or is needed and missing."""

    def __init__(self, folder: Path) -> None:
        super().__init__({path.stem: load(path) for path in sorted(folder.glob("*.csv"))})
        self._folder = folder

    def __missing__(self, name: str) -> pd.DataFrame:
        return load(self._folder / f"{name}.csv")  # raises UserError


def load(path: Path) -> pd.DataFrame:
    """Read a CSV table. Raises UserError if it is missing or malformed."""
    try:
        return pd.read_csv(path)
    except MALFORMED as error:
        raise UserError(f"{path}: not a readable table ({error}); run the analysis again") from None
