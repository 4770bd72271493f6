"""Records of rewinding, transfer and connectivity that never ran, and the parameters that switch these parts on."""

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from lottery import records
from lottery.schemas import RewindScore
from lottery.tasks import get_task
from lottery.tickets.connectivity import ConnectivityScore
from lottery.tickets.methods import METHODS
from lottery.tickets.rewound import CONTROLS, REWOUND
from lottery.tickets.transfer import TransferParameters, TransferScore
from lottery.vocabulary import GOOD_AND_CONTROLS, WHOLE

PARTS = ("rewind", "transfer", "connectivity")
LOSS = {WHOLE: 0.0, "good": 0.02, "random": 0.1, "bad": 0.2}
"""What a ticket of each kind lacks of the full model's score; between its trainings it lacks twice as much."""


def switch_on(tree: dict[str, Any], tasks: Sequence[str], seeds: Sequence[int]) -> None:
    """Set the parameters so that every part runs with these tasks and, where it takes them, seeds."""
    for part in PARTS:
        tree[part] |= {"tasks": [*tasks], "seeds": [*seeds]}
    del tree["transfer"]["seeds"]


def write(
    cell: tuple[str, int], full: float, tasks: Sequence[str], folder: Path, rng: np.random.Generator
) -> None:
    """The records of a cell whose full model has this score, on dev."""

    def records_of(
        kind: type[msgspec.Struct], rows: Iterator[tuple[dict[str, Any], float]]
    ) -> None:
        task, seed = cell
        scores = [
            kind(
                **identity, task=task, seed=seed, split="dev", metric=get_task(task).metrics[0],
                value=full - loss + rng.normal(0, 0.003), n=600,
            )
            for identity, loss in rows
        ]  # fmt: skip
        records.write(
            kind, scores, folder / f"{kind.__name__.removesuffix('Score').lower()}.parquet"
        )

    records_of(RewindScore, _rewound())
    records_of(TransferScore, _transferred(tasks))
    records_of(ConnectivityScore, _connected())


def _rewound() -> Iterator[tuple[dict[str, Any], float]]:
    for sparsity in np.linspace(0, 0.7, 8).round(6):
        names = [REWOUND, *(control.name for control in CONTROLS if sparsity in (0.5, 0.7))]
        for control in names:
            yield (
                {"control": control, "draw": 0, "sparsity": sparsity},
                0.1 * sparsity**2 + 0.1 * (control != REWOUND),
            )


def _transferred(tasks: Sequence[str]) -> Iterator[tuple[dict[str, Any], float]]:
    for method in METHODS.values():
        sources = TransferParameters(tasks=tuple(tasks)).sources(method)
        for source, kind in product(sources, ("mask", "random")):
            identity = {"method": method.name, "source": source, "kind": kind, "digest": ""}
            yield identity | {"sparsity": 0.4}, 0.05 if kind == "mask" else 0.15


def _connected() -> Iterator[tuple[dict[str, Any], float]]:
    tickets = [(WHOLE, WHOLE), *product(METHODS, GOOD_AND_CONTROLS)]
    for (method, kind), position in product(tickets, np.linspace(0, 1, 5)):
        identity = {"method": method, "kind": kind, "position": float(position)}
        yield identity, LOSS[kind] * (1 + 4 * position * (1 - position))
