"""Attention maps labelled by people, read from a folder: labels.csv and one .npy array per map."""

import csv
from pathlib import Path

import numpy as np

from lottery.attention.patterns import PATTERNS, Map
from lottery.data import npy
from lottery.errors import MALFORMED, UserError


def read(folder: Path) -> dict[str, list[Map]]:
    """The maps [N, N] of each pattern; labels.csv has the columns `file` and `pattern`.

    Raises UserError if a file is missing or not a map, a pattern is unknown, or a pattern has fewer than two
    maps.
    """
    maps: dict[str, list[Map]] = {pattern: [] for pattern in PATTERNS}
    for file, pattern in _labels(folder / "labels.csv"):
        if pattern not in maps:
            raise UserError(
                f"{folder}: {file} is labelled {pattern!r}; allowed: {', '.join(PATTERNS)}"
            )
        maps[pattern].append(_map(folder / file))
    for pattern, labelled in maps.items():
        if len(labelled) < 2:
            raise UserError(f"{folder}: {len(labelled)} maps labelled {pattern}; label at least 2")
    return maps


def _labels(path: Path) -> list[tuple[str, str]]:
    """(file, pattern) of every row."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [(row["file"] or "", row["pattern"]) for row in csv.DictReader(file)]
    except (csv.Error, *MALFORMED) as error:
        raise UserError(f"{path}: no table with the columns file and pattern: {error}") from None


def _map(path: Path) -> Map:
    values: Map = npy.read(path)
    square = values.ndim == 2 and values.shape[0] == values.shape[1] >= 2
    if not (square and np.isfinite(values).all() and (values >= 0).all() and values.any()):
        raise UserError(
            f"{path}: not a map (shape {values.shape}); a map is square, finite, not negative, not all 0"
        )
    return values
