"""Small moves on pandas frames: spreads over seeds, a fixed order of rows, CSV in and out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from lottery.analysis.intervals import interval
from lottery.errors import UserError
from lottery.vocabulary import KINDS, METHODS, STATES, UNITS

SPREAD = ["mean", "std", "low", "high", "n"]
ORDER: Mapping[str, Mapping[str, str]] = {
    "method": METHODS,
    "kind": KINDS,
    "state": STATES,
    "unit": UNITS,
}


def spread(frame: pd.DataFrame, by: Sequence[str], value: str = "value") -> pd.DataFrame:
    """Mean, std (ddof 1), 95 % interval and n of `value` over the rows of each group.

    Undefined values are left out of n; the column `undefined` counts them.
    """
    found = []
    for keys, group in frame.groupby(list(by), sort=False):
        defined = group[value].dropna()
        found.append(
            dict(zip(by, keys, strict=True))
            | {name: asdict(interval(defined.tolist()))[name] for name in SPREAD}
            | {"undefined": len(group) - len(defined)}
        )
    return pd.DataFrame(found, columns=[*by, *SPREAD, "undefined"])


def ordered(frame: pd.DataFrame, tasks: Sequence[str], by: Sequence[str]) -> pd.DataFrame:
    """The rows in the order of the grid's tasks and of the labels, `by` the outermost column first."""
    places = {column: list(names) for column, names in ORDER.items()} | {"task": list(tasks)}
    keys = frame.assign(
        **{
            column: frame[column].map({name: at for at, name in enumerate(places[column])})
            for column in by
            if column in places
        }
    )
    return frame.loc[keys.sort_values(list(by), kind="stable").index].reset_index(drop=True)


def rows(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows, each with its columns as attributes."""
    return frame.itertuples(index=False)


def save(frame: pd.DataFrame, path: Path) -> None:
    """One CSV table, numbers to 6 significant digits, so that equal results are equal bytes."""
    frame.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


def load(path: Path) -> pd.DataFrame:
    """A CSV table; a UserError where it is missing or none."""
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: no readable table ({error}); run the analysis again") from None
