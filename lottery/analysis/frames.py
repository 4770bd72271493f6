"""Operations on data frames: spread over seeds, the order of rows, CSV files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from lottery.analysis.intervals import interval
from lottery.errors import UserError
from lottery.tickets.methods import METHODS
from lottery.vocabulary import KINDS, STATES, UNITS, WHOLE

SPREAD = ["mean", "std", "low", "high", "n"]


def spread(frame: pd.DataFrame, by: Sequence[str], value: str = "value") -> pd.DataFrame:
    """Mean, std (ddof 1), 95 % interval and n of `value` over the rows of each group.

    Undefined values are left out of n; the column `undefined` counts them.
    """
    rows = []
    for keys, group in frame.groupby(list(by), sort=False):
        defined = group[value].dropna()
        rows.append(
            dict(zip(by, keys, strict=True))
            | {name: asdict(interval(defined.tolist()))[name] for name in SPREAD}
            | {"undefined": len(group) - len(defined)}
        )
    return pd.DataFrame(rows, columns=[*by, *SPREAD, "undefined"])


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
    return frame.loc[keys.sort_values(list(by), kind="stable").index].reset_index(drop=True)


def rows(frame: pd.DataFrame) -> Iterator[Any]:
    """Iterate over the rows, columns as attributes."""
    return frame.itertuples(index=False)


def save(frame: pd.DataFrame, path: Path) -> None:
    """Write a CSV table; numbers have 6 significant digits, so that equal results are equal bytes."""
    frame.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


def load(path: Path) -> pd.DataFrame:
    """Read a CSV table. Raises UserError if it is missing or malformed."""
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: no readable table ({error}); run the analysis again") from None
