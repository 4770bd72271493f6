"""A cell's inputs, an encoder trained from them, whole or under a mask, and its predictions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lottery.data.examples import Examples
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.model.evaluation import predict
from lottery.model.initial import reinitialise
from lottery.model.parameters import FinetuneParameters
from lottery.model.training import Progress, finetune
from lottery.predictions import Logits
from lottery.runtime.compute import arithmetic, chosen_device
from lottery.runtime.parameters import ComputeParameters
from lottery.runtime.resume import NO_JOURNAL, Journal
from lottery.seeds import entropy
from lottery.subnetwork import Subnetwork
from lottery.tasks import Task
from lottery.vocabulary import State

Splits = Mapping[str, Examples]


@dataclass(frozen=True)
class Cell:
    """One task and seed, with the inputs of fine-tuning; `pretrained` is the folder of the pre-trained encoder."""

    task: Task
    seed: int
    pretrained: Path
    train: Examples
    recipe: FinetuneParameters
    compute: ComputeParameters


def pretrained(cell: Cell) -> Encoder:
    """The pre-trained encoder with a new classifier, the same for all subnetworks of the cell."""
    seed = entropy(cell.seed, "classifier", cell.task.name)
    return checkpoint.load(cell.pretrained, cell.task.classes, seed)


def random_weights(cell: Cell) -> Encoder:
    """The encoder as it was before it was pre-trained: random weights, and the same classifier."""
    return reinitialise(pretrained(cell), entropy(cell.seed, "reinitialised", cell.task.name))


INITIAL: Mapping[State, Callable[[Cell], Encoder]] = {
    "retrained": pretrained,
    "reinitialised": random_weights,
}
"""The weights that a ticket is trained from, by the state that this leads to."""


def finetune_cell(
    progress: Progress,
    cell: Cell,
    subnetwork: Subnetwork | None = None,
    journal: Journal = NO_JOURNAL,
    state: State = "retrained",
) -> tuple[Encoder, list[float]]:
    """Fine-tune the encoder from the initial weights of `state`, whole or under the fixed mask of `subnetwork`.

    Returns the encoder and the mean loss of each epoch. The seed determines the classifier's initial weights, the
    order of examples and dropout, equally for all subnetworks of a cell.
    """
    encoder = INITIAL[state](cell).to(chosen_device(cell.compute))
    mask = None
    if subnetwork is not None:
        encoder = encoder.pruned(subnetwork)
        # Heads and MLPs are removed for good; pruned weights are zeros that training must not change.
        mask = None if subnetwork.is_structured else subnetwork
    with arithmetic(cell.compute):
        losses = finetune(
            encoder, cell.train, cell.task, cell.recipe, cell.seed, mask, progress, journal
        )
    return encoder, losses


def predict_splits(encoder: Encoder, splits: Splits) -> Logits:
    """Logits of every example of the splits, rounded as they are stored."""
    return {name: predict(encoder, split).astype(np.float16) for name, split in splits.items()}
