"""Attention maps that people have labelled, read from a folder: labels.csv and one .npy array a map."""

import csv
from pathlib import Path

import numpy as np

from lottery.attention.patterns import PATTERNS, Map
from lottery.data import npy
from lottery.errors import UserError


def read(folder: Path) -> dict[str, list[Map]]:
    """The maps [N, N] of each pattern; labels.csv has the columns `file` and `pattern`.

    A UserError where a file is missing or no map, a pattern unknown, or a pattern has fewer than two maps.
    """
    found: dict[str, list[Map]] = {pattern: [] for pattern in PATTERNS}
    for file, pattern in _labels(folder / "labels.csv"):
        if pattern not in found:
            raise UserError(
                f"{folder}: {file} is labelled {pattern!r}; known: {', '.join(PATTERNS)}"
            )
        found[pattern].append(_map(folder / file))
    for pattern, maps in found.items():
        if len(maps) < 2:
            raise UserError(f"{folder}: {len(maps)} maps labelled {pattern}; label at least 2")
    return found


def _labels(path: Path) -> list[tuple[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [(row["file"] or "", row["pattern"]) for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, KeyError, csv.Error) as error:
        raise UserError(f"{path}: no table with the columns file and pattern: {error}") from None


def _map(path: Path) -> Map:
    values = npy.read(path)
    square = values.ndim == 2 and values.shape[0] == values.shape[1] >= 2
    if not (square and np.isfinite(values).all() and (values >= 0).all() and values.any()):
        raise UserError(
            f"{path}: shape {values.shape}; a map is square, finite, not negative, not all 0"
        )
    found: Map = values
    return found
