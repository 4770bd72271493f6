"""Iterative magnitude pruning with rewinding: train, prune the smallest weights, rewind the others, again.

After Frankle & Carbin (2019), Frankle et al. (2020) and, for BERT, Chen et al. (2020). Beside each mask of the method
stand controls of its size, each trained once from the weights that the method rewinds to, or from random ones.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from lottery.errors import UserError
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.model.training import LAST, Progress, finetune
from lottery.predictions import Logits, measure
from lottery.runtime.compute import arithmetic, chosen_device
from lottery.runtime.resume import NO_JOURNAL, Arrays, Journal
from lottery.schemas import RewindScore
from lottery.subnetwork import Subnetwork, unpacked
from lottery.tickets.magnitude import largest
from lottery.tickets.parameters import RewindParameters
from lottery.tickets.retraining import Cell, Splits, predict_splits, pretrained
from lottery.tickets.rewound import REWOUND

ROUNDS = "rounds"
"""Name of the rounds' part of a stage's journal; it holds the weights that all trainings start from."""
MASK = "mask "
"""Prefix of the names of masks in a journal."""


@dataclass(frozen=True)
class Rewinding:
    """The inputs of a cell: its data, the folder of the model fine-tuned without pruning, and parameters."""

    cell: Cell
    model: Path
    parameters: RewindParameters
    biases: bool
    splits: Splits

    @property
    def full(self) -> Encoder:
        """The full model: the end of the training whose start, or step k, is rewound to."""
        encoder = checkpoint.load(self.model, self.cell.task.classes)
        return encoder.to(chosen_device(self.cell.compute))


def smallest_removed(encoder: Encoder, sparsity: float, biases: bool) -> Subnetwork:
    """The mask without the smallest weights of an encoder; those that are 0 are among them."""
    total = sum(weight.numel() for weight in encoder.prunable(biases).values())
    return largest(encoder, total - round(sparsity * total), biases)


@dataclass(frozen=True)
class Trained:
    """A mask and what it predicts once it is trained."""

    control: str
    draw: int
    sparsity: float
    kept: Subnetwork
    logits: Logits


def start(progress: Progress, inputs: Rewinding, journal: Journal = NO_JOURNAL) -> Encoder:
    """The encoder that all rounds start from: pre-trained, or after some optimiser steps of the full model."""
    encoder = pretrained(inputs.cell).to(chosen_device(inputs.cell.compute))
    if steps := inputs.parameters.step:

        def first_steps() -> Arrays:
            train(progress, inputs.cell, encoder, None, slice(0, steps))
            return {name: tensor.cpu().numpy() for name, tensor in encoder.state_dict().items()}

        arrays = journal.once("start", first_steps)
        encoder.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})
    return encoder


def rounds(progress: Progress, inputs: Rewinding, journal: Journal = NO_JOURNAL) -> list[Trained]:
    """The full model and the trained mask of every round; rounds that `journal` holds are not trained again.

    Each prunes the weights that are smallest at the end of the round before, over the whole encoder. Raises UserError
    if a training has no steps beyond the one that is rewound to.
    """
    parameters, full = inputs.parameters, inputs.full
    _require_steps(inputs)
    trained = [Trained(REWOUND, 0, 0.0, _whole(full, inputs.biases), predict(inputs, full))]
    kept = smallest_removed(full, parameters.rate, inputs.biases)
    origin = start(progress, inputs, journal)
    for number in range(1, parameters.rounds + 1):
        arrays = journal.once(
            f"round {number}",
            partial(_round, progress, inputs, origin, number, kept, journal.of(f"{number}")),
        )
        logits = {name: array for name, array in arrays.items() if not name.startswith(MASK)}
        trained.append(Trained(REWOUND, 0, number * parameters.rate, kept, logits))
        kept = Subnetwork(
            (name, unpacked(arrays[MASK + name], mask.shape)) for name, mask in kept.items()
        )
    return trained


def _require_steps(inputs: Rewinding) -> None:
    steps, step = inputs.cell.recipe.steps(len(inputs.cell.train)), inputs.parameters.step
    if step >= steps:
        raise UserError(
            f"parameters: rewind.step = {step}: a training on {inputs.cell.task.title} has {steps} steps; choose fewer"
        )


def _round(
    progress: Progress,
    inputs: Rewinding,
    origin: Encoder,
    number: int,
    kept: Subnetwork,
    journal: Journal,
) -> Arrays:
    """Logits of the trained mask of a round, and the bits of the mask of the next one."""
    encoder = deepcopy(origin)
    train(progress, inputs.cell, encoder, kept, remaining(inputs.parameters), journal)
    sparsity = min(1.0, (number + 1) * inputs.parameters.rate)
    following = smallest_removed(encoder, sparsity, inputs.biases)
    bits = {MASK + name: np.packbits(mask) for name, mask in following.items()}
    return {**predict(inputs, encoder), **bits}


def scores(inputs: Rewinding, trained: Trained) -> Iterator[RewindScore]:
    """Every metric of a trained mask on every split."""
    for split, logits_NC in trained.logits.items():
        labels_N = inputs.splits[split].labels_N
        for metric, value in measure(inputs.cell.task, split, logits_NC, labels_N).items():
            yield RewindScore(
                task=inputs.cell.task.name,
                seed=inputs.cell.seed,
                control=trained.control,
                draw=trained.draw,
                sparsity=trained.sparsity,
                split=split,
                metric=metric,
                value=value,
                n=len(labels_N),
            )


def _whole(encoder: Encoder, biases: bool) -> Subnetwork:
    shapes: Mapping[str, tuple[int, ...]] = {
        name: tuple(weight.shape) for name, weight in encoder.prunable(biases).items()
    }
    return Subnetwork.full(shapes)


def remaining(parameters: RewindParameters) -> slice:
    """The optimiser steps from the one that is rewound to."""
    return slice(parameters.step, None)


def train(
    progress: Progress,
    cell: Cell,
    encoder: Encoder,
    kept: Subnetwork | None,
    span: slice,
    journal: Journal = NO_JOURNAL,
) -> None:
    """Take the optimiser steps in `span` under a mask, in place."""
    with arithmetic(cell.compute):
        finetune(
            encoder, cell.train, cell.task, cell.recipe, cell.seed, kept, progress, journal, span
        )
    journal.forget(LAST)


def predict(inputs: Rewinding, encoder: Encoder) -> Logits:
    """Logits of every example of the cell's splits."""
    with arithmetic(inputs.cell.compute):
        return predict_splits(encoder, inputs.splits)
