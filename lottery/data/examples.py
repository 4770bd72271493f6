"""Encoded sentences, stored end to end without padding, and batches of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialised

from lottery.errors import UserError
from lottery.params import Parameters
from lottery.tasks import get_task

MOST = 10**9
Size = Annotated[int, Meta(ge=1, le=MOST)] | None


class DataParameters(Parameters, frozen=True):
    """Where the examples come from and how many there are.

    source: `packages` (small open corpora), `hub` (GLUE from the hub) or a folder of GLUE tasks
    saved with `save_to_disk`. train, select, dev: at most so many examples, null for all; train may
    name a number for each task, since some need more to learn anything; select comes out of a tenth
    of the training data, held out for it (0 holds nothing out, for searches on dev). max_length:
    tokens an example is cut to. standardise: regression labels by the mean and deviation of train.
    """

    source: Annotated[str, Meta(min_length=1)]
    train: Size | dict[str, Annotated[int, Meta(ge=1, le=MOST)]]
    select: Annotated[int, Meta(ge=0, le=MOST)] | None
    dev: Size
    max_length: Annotated[int, Meta(ge=8, le=512)]
    standardise: bool

    def __post_init__(self) -> None:
        for name in self.train if isinstance(self.train, dict) else ():
            get_task(name)

    def training(self, name: str) -> int | None:
        """At most so many training examples for a task; None for all."""
        return self.train.get(name) if isinstance(self.train, dict) else self.train


@dataclass(frozen=True)
class Examples:
    """N examples of one split. T counts the tokens of all of them."""

    task: str
    split: str
    ids_T: NDArray[np.int32]
    types_T: NDArray[np.int8]
    lengths_N: NDArray[np.int32]
    labels_N: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.lengths_N)

    def take(self, rows: NDArray[np.int64]) -> "Examples":
        """Some of the examples, in the order of `rows`."""
        tokens = _tokens(self, rows)
        return Examples(
            self.task,
            self.split,
            self.ids_T[tokens],
            self.types_T[tokens],
            self.lengths_N[rows],
            self.labels_N[rows],
        )


def standardised(splits: Mapping[str, Examples]) -> tuple[dict[str, Examples], float, float]:
    """Every split with its labels shifted and scaled by the mean and std of `train`, and these two.

    The metrics of a regression are correlations, which this leaves as they are. A UserError where all
    labels of `train` are equal.
    """
    train = splits["train"].labels_N.astype(np.float64)
    mean, std = float(train.mean()), float(train.std())
    if std == 0:
        raise UserError(
            f"{splits['train'].task}: all training labels are {mean}; take more examples"
        )
    return (
        {
            split: replace(each, labels_N=((each.labels_N - mean) / std).astype(np.float32))
            for split, each in splits.items()
        },
        mean,
        std,
    )


@dataclass(frozen=True)
class Batch:
    """B examples as they travel through the encoder; `rows_B` says which of the split they are."""

    rows_B: NDArray[np.int64]
    ids_T: NDArray[np.int32]
    types_T: NDArray[np.int8]
    lengths_B: NDArray[np.int32]
    labels_B: NDArray[np.float32]


def packed(examples: Examples, budget: int) -> list[Batch]:
    """Every example once, by length, in batches whose padded view holds at most `budget` tokens.

    An example longer than the budget is a batch of its own.
    """
    order = np.argsort(examples.lengths_N, kind="stable")
    batches, start = [], 0
    for end in range(1, len(order) + 1):
        full = end == len(order)
        if full or (end + 1 - start) * int(examples.lengths_N[order[end]]) > budget:
            batches.append(_batch(examples, order[start:end]))
            start = end
    return batches


def shuffled(examples: Examples, size: int, rng: np.random.Generator) -> list[Batch]:
    """Every example once, in random batches of `size`; the last may be smaller."""
    order = rng.permutation(len(examples))
    return [_batch(examples, order[at : at + size]) for at in range(0, len(order), size)]


def save(examples: Examples, path: Path) -> None:
    """All arrays and the identity of the split in one safetensors file."""
    arrays: dict[str, NDArray[Any]] = {
        "ids": examples.ids_T,
        "types": examples.types_T,
        "lengths": examples.lengths_N,
        "labels": examples.labels_N,
    }
    identity = {"task": examples.task, "split": examples.split}
    path.write_bytes(serialised(arrays, {"identity": json.dumps(identity)}))


def load(path: Path) -> Examples:
    """The examples in `path`; a UserError where it holds none."""
    try:
        with safe_open(path, framework="numpy") as file:
            identity = json.loads((file.metadata() or {})["identity"])
            arrays = [file.get_tensor(name) for name in ("ids", "types", "lengths", "labels")]
            return Examples(identity["task"], identity["split"], *arrays)
    except (FileNotFoundError, SafetensorError, KeyError, ValueError) as error:
        raise UserError(f"{path}: no encoded examples: {error}") from None


def _batch(examples: Examples, rows: NDArray[np.int64]) -> Batch:
    part = examples.take(rows)
    return Batch(rows, part.ids_T, part.types_T, part.lengths_N, part.labels_N)


def _tokens(examples: Examples, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the tokens of `rows` lie, example after example."""
    lengths = examples.lengths_N[rows].astype(np.int64)
    ends = np.cumsum(examples.lengths_N.astype(np.int64))
    shift = (ends[rows] - lengths) - (np.cumsum(lengths) - lengths)
    tokens: NDArray[np.int64] = np.arange(lengths.sum()) + np.repeat(shift, lengths)
    return tokens
