"""Encoded examples, stored end to end without padding, and batches of them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, field
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialised

from lottery.data.description import TaskDescription
from lottery.errors import MALFORMED, UserError
from lottery.params import Parameters
from lottery.tasks import get_task

MAX_SIZE = 10**9
Size = Annotated[int, Meta(ge=1, le=MAX_SIZE)]


class DataParameters(Parameters, frozen=True):
    """Source, size and encoding of the examples.

    source: `packages` (small open corpora), `hub` (GLUE from the hub) or a folder of GLUE tasks saved with
    `save_to_disk`. train, select, dev: maximum number of examples, null for all. train may give a number per task,
    because some tasks need more examples to learn anything. select comes out of a tenth of the training data, held
    out for it; 0 holds nothing out, for searches on dev. max_length: tokens to which an example is truncated.
    standardise: scale regression labels by the mean and standard deviation of all training data.
    tasks: own tasks by name; `source` is that of the others.
    """

    source: Annotated[str, Meta(min_length=1)]
    train: Size | dict[str, Size] | None
    select: Annotated[int, Meta(ge=0, le=MAX_SIZE)] | None
    dev: Size | None
    max_length: Annotated[int, Meta(ge=8, le=512)]
    standardise: bool
    tasks: dict[str, TaskDescription] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for task in self.train if isinstance(self.train, dict) else ():
            get_task(task)

    def train_size(self, task: str) -> int | None:
        """Maximum number of training examples of a task; None for all."""
        return self.train.get(task) if isinstance(self.train, dict) else self.train


@dataclass(frozen=True)
class Examples:
    """N examples of one split; T is the number of tokens in all of them.

    The tokens of example n follow those of example n - 1: ids in the vocabulary, and token types (0 in the first
    sentence, 1 in the second, if the encoder tells them apart). Labels are classes or scores.
    """

    task: str
    split: str
    ids_T: NDArray[np.int32]
    types_T: NDArray[np.int8]
    lengths_N: NDArray[np.int32]
    labels_N: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.lengths_N)

    def take(self, rows: NDArray[np.int64]) -> "Examples":
        """The examples with the indices `rows`, in that order."""
        tokens = _token_indices(self, rows)
        return Examples(
            self.task,
            self.split,
            self.ids_T[tokens],
            self.types_T[tokens],
            self.lengths_N[rows],
            self.labels_N[rows],
        )


@dataclass(frozen=True)
class Batch:
    """B examples end to end, T tokens in all; `rows_B` are their indices in the split."""

    rows_B: NDArray[np.int64]
    ids_T: NDArray[np.int32]
    types_T: NDArray[np.int8]
    lengths_B: NDArray[np.int32]
    labels_B: NDArray[np.float32]


def packed(examples: Examples, budget: int) -> list[Batch]:
    """All examples, sorted by length, in batches of at most `budget` tokens when padded.

    An example longer than the budget is a batch of its own.
    """
    order = np.argsort(examples.lengths_N, kind="stable")
    batches, start = [], 0
    for end in range(1, len(order) + 1):
        # Sorted by length, so the next example would set the padded length of the batch.
        is_last = end == len(order)
        if is_last or (end + 1 - start) * int(examples.lengths_N[order[end]]) > budget:
            batches.append(_batch(examples, order[start:end]))
            start = end
    return batches


def shuffled(examples: Examples, size: int, rng: np.random.Generator) -> list[Batch]:
    """All examples in random order, in batches of `size`; the last may be smaller."""
    order = rng.permutation(len(examples))
    return [_batch(examples, order[at : at + size]) for at in range(0, len(order), size)]


def sentences_T(examples: Examples) -> NDArray[np.int8]:
    """The sentence of each token, 0 or 1: its type, or for encoders without types what the separators tell.

    Examples are pairs if the token that ends them is also within each of them.
    """
    lengths = examples.lengths_N
    ends = np.cumsum(lengths)
    is_end_T = examples.ids_T == np.repeat(examples.ids_T[ends - 1], lengths)
    before_T = np.cumsum(is_end_T) - is_end_T
    is_second_T = before_T > np.repeat(before_T[ends - lengths], lengths)
    are_pairs = np.logical_or.reduceat(is_second_T, ends - lengths).all() if len(ends) else False
    if examples.types_T.any() or not are_pairs:
        return examples.types_T
    sentence_T: NDArray[np.int8] = is_second_T.astype(np.int8)
    return sentence_T


def save(examples: Examples, path: Path) -> None:
    """Write all arrays and the identity of the split (task and name) as one safetensors file."""
    arrays: dict[str, NDArray[Any]] = {
        "ids": examples.ids_T,
        "types": examples.types_T,
        "lengths": examples.lengths_N,
        "labels": examples.labels_N,
    }
    identity = {"task": examples.task, "split": examples.split}
    # One header entry: safetensors would order several differently from process to process.
    path.write_bytes(serialised(arrays, {"identity": json.dumps(identity)}))


def load(path: Path) -> Examples:
    """The examples in `path`. Raises UserError if the file is missing or holds something else."""
    try:
        with safe_open(path, framework="numpy") as file:
            identity = json.loads((file.metadata() or {})["identity"])
            arrays = [file.get_tensor(name) for name in ("ids", "types", "lengths", "labels")]
            return Examples(identity["task"], identity["split"], *arrays)
    except (SafetensorError, *MALFORMED) as error:
        raise UserError(f"{path}: no encoded examples: {error}") from None


def load_scored(folder: Path) -> dict[str, Examples]:
    """The splits to score on: the one held out for searches, unless it is empty, and all that are reported on."""
    names = sorted({path.stem for path in folder.glob("*.safetensors")} - {"train"})
    splits = {name: load(folder / f"{name}.safetensors") for name in names}
    return {name: split for name, split in splits.items() if len(split)}


def _batch(examples: Examples, rows: NDArray[np.int64]) -> Batch:
    part = examples.take(rows)
    return Batch(rows, part.ids_T, part.types_T, part.lengths_N, part.labels_N)


def _token_indices(examples: Examples, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices into `ids_T` of the tokens of `rows`, example after example."""
    lengths = examples.lengths_N[rows].astype(np.int64)
    ends = np.cumsum(examples.lengths_N.astype(np.int64))
    # Distance of each example from where it lies now to where it will lie among `rows`.
    shift = (ends[rows] - lengths) - (np.cumsum(lengths) - lengths)
    indices: NDArray[np.int64] = np.arange(lengths.sum()) + np.repeat(shift, lengths)
    return indices
