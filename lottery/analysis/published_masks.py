"""Published masks of heads [L, H] and MLPs [L], read as tickets.

Three layouts are supported: a folder `<task>/seed_<seed>/{head_mask,mlp_mask}.npy`, which may lie below
`masks/heads_mlps`, as Prasanna et al. released theirs; a table with one row per component (task, seed, layer,
head_or_mlp, component, kept); a table with one row per subnetwork (task, seed, heads, mlps), whose digits
are 1 for kept and 0 for pruned, with one word for the heads of each layer. Where only heads were pruned and MLPs are
not mentioned, all MLPs are kept.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Sized
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lottery.analysis.columns import CELL
from lottery.data import npy
from lottery.errors import MALFORMED, UserError
from lottery.subnetwork import Kept, Subnetwork
from lottery.ticket import Ticket
from lottery.tickets.methods import STRUCTURED


def read(source: Path) -> list[Ticket]:
    """All tickets of a source, in the order of the table; those of a folder are sorted by task and seed.

    Raises UserError if the layout is unknown, or if a mask is incomplete or has values other than 0 and 1.
    """
    if not source.exists():
        raise UserError(
            f"{source}: no such file or folder; give a folder of .npy masks or a CSV table"
        )
    tickets = _folder(source) if source.is_dir() else _table(source)
    if not tickets:
        raise UserError(f"{source}: holds no masks")
    first, twice = tickets[0], Counter((ticket.task, ticket.seed) for ticket in tickets)
    for ticket in tickets:
        if twice[ticket.task, ticket.seed] > 1:
            raise UserError(f"{source}: holds {ticket.task} seed {ticket.seed} more than once")
        if ticket.subnetwork.shapes != first.subnetwork.shapes:
            raise UserError(
                f"{source}: {ticket.task} seed {ticket.seed} has {_encoder_size(ticket)}, {first.task} seed"
                f" {first.seed} has {_encoder_size(first)}; import one encoder at a time"
            )
    return tickets


def _encoder_size(ticket: Ticket) -> str:
    layers, heads = ticket.subnetwork.shapes["heads"]
    return f"{layers} layers of {heads} heads"


def _ticket(source: Path, task: str, seed: int, heads: Any, mlps: Any) -> Ticket:
    if not re.fullmatch(r"[\w-][\w .+-]*", task):
        raise UserError(
            f"{source}: {task!r} is not a valid task name; use letters, digits, - and _"
        )
    if seed < 0:
        raise UserError(f"{source}: seed {seed} of {task} is below 0")
    heads_LH, mlps_L = (_mask(source, values) for values in (heads, mlps))
    if heads_LH.ndim != 2 or heads_LH.shape[:1] != mlps_L.shape or not heads_LH.size:
        raise UserError(
            f"{source}: {task} seed {seed} has masks of shape {heads_LH.shape} and {mlps_L.shape};"
            " expected heads [layers, heads] and MLPs [layers]"
        )
    kept = Subnetwork({"heads": heads_LH, "mlps": mlps_L})
    return Ticket(task, seed, STRUCTURED.good, kept)


def _mask(source: Path, values: Any) -> Kept:
    try:
        array = np.asarray(values)
    except ValueError:
        raise UserError(f"{source}: a mask has rows of different lengths") from None
    if array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
        raise UserError(f"{source}: a mask holds values other than 0 (pruned) and 1 (kept)")
    return array.astype(bool)


def _folder(source: Path) -> list[Ticket]:
    nested = source / "masks" / "heads_mlps"
    root = nested if nested.is_dir() else source
    seed_folders = [
        (folder.parent.name, int(folder.name.removeprefix("seed_")), folder)
        for folder in root.glob("*/seed_*")
        if folder.name.removeprefix("seed_").isdecimal()
    ]
    if not seed_folders:
        raise UserError(
            f"{root}: has no folders <task>/seed_<seed>/ with head_mask.npy and mlp_mask.npy"
        )
    heads_only = not any((folder / "mlp_mask.npy").exists() for _, _, folder in seed_folders)
    tickets = []
    for task, seed, folder in sorted(seed_folders):
        heads = npy.read(folder / "head_mask.npy")
        mlps = _whole(heads) if heads_only else npy.read(folder / "mlp_mask.npy")
        tickets.append(_ticket(folder, task, seed, heads, mlps))
    return tickets


def _whole(heads: Sized) -> NDArray[np.float64]:
    """The mask of MLPs that are all kept, one for each layer of heads."""
    return np.ones(len(heads))


def _table(source: Path) -> list[Ticket]:
    try:
        table = pd.read_csv(source, dtype=str, keep_default_na=False)
    except MALFORMED as error:
        raise UserError(f"{source}: not a readable table: {error}") from None
    for columns, read_layout in LAYOUTS.items():
        if set(columns) <= set(table.columns):
            return read_layout(source, table)
    expected = " or ".join(", ".join(columns) for columns in LAYOUTS)
    raise UserError(f"{source}: has columns {', '.join(table.columns)}; expected {expected}")


def _by_subnetwork(source: Path, table: pd.DataFrame) -> list[Ticket]:
    heads = [[_digits(word) for word in words.split()] for words in table["heads"]]
    mlps = map(_digits, table["mlps"]) if "mlps" in table else map(_whole, heads)
    seeds = _integers(source, table, "seed")
    return [
        _ticket(source, *of_ticket)
        for of_ticket in zip(table["task"], seeds, heads, mlps, strict=True)
    ]


def _digits(word: str) -> list[int]:
    return [int(digit) if digit.isdecimal() else -1 for digit in word]


def _by_component(source: Path, table: pd.DataFrame) -> list[Ticket]:
    key = ["task", "seed", "head_or_mlp", "layer", "component"]
    numbers = {name: _integers(source, table, name) for name in ("seed", "layer", "component")}
    kept = table["kept"].str.strip().str.lower().replace({"true": "1", "false": "0"})
    if unread := table.loc[pd.to_numeric(kept, errors="coerce").isna(), "kept"].tolist():
        raise UserError(f"{source}: kept is {unread[0]!r}; expected 1 or True, 0 or False")
    table = table.assign(**numbers, kept=pd.to_numeric(kept))
    unknown = table.loc[~table["head_or_mlp"].isin(["head", "mlp"]), "head_or_mlp"].tolist()
    if unknown:
        raise UserError(f"{source}: head_or_mlp is {unknown[0]!r}; expected head or mlp")
    _require_unique(source, table, key)
    heads_only = not table["head_or_mlp"].eq("mlp").any()
    tickets = []
    for (task, seed), rows in table.groupby(CELL, sort=False):
        heads = _grid(source, rows[rows["head_or_mlp"] == "head"])
        mlps = _whole(heads) if heads_only else _mlps(source, rows[rows["head_or_mlp"] == "mlp"])
        tickets.append(_ticket(source, str(task), int(str(seed)), heads, mlps))
    return tickets


def _mlps(source: Path, rows: pd.DataFrame) -> NDArray[np.float64]:
    """The mask of MLPs, one for each layer."""
    grid = _grid(source, rows)
    if grid.shape[1] > 1:
        raise UserError(f"{source}: a layer has more than one MLP")
    return grid.ravel()


def _grid(source: Path, rows: pd.DataFrame) -> NDArray[np.float64]:
    wide = rows.pivot(index="layer", columns="component", values="kept")
    complete = [*wide.index] == [*range(len(wide))] and [*wide.columns] == [*range(wide.shape[1])]
    if not complete or wide.empty or wide.isna().to_numpy().any():
        raise UserError(
            f"{source}: a subnetwork lacks components; expected every head and MLP of every layer,"
            " counted from 0, once, each kept 0 or 1"
        )
    return wide.to_numpy(np.float64)


def _integers(source: Path, table: pd.DataFrame, column: str) -> list[int]:
    try:
        return [int(value) for value in table[column]]
    except ValueError as error:
        raise UserError(f"{source}: column {column}: {error}") from None


def _require_unique(source: Path, table: pd.DataFrame, key: Sequence[str]) -> None:
    duplicates = table.loc[table.duplicated(list(key)), list(key)].to_numpy().tolist()
    if duplicates:
        raise UserError(f"{source}: holds {' '.join(map(str, duplicates[0]))} more than once")


LAYOUTS: Mapping[tuple[str, ...], Callable[[Path, pd.DataFrame], list[Ticket]]] = {
    ("task", "seed", "layer", "head_or_mlp", "component", "kept"): _by_component,
    ("task", "seed", "heads"): _by_subnetwork,
}
