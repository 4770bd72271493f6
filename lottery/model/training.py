"""Fine-tuning of an encoder, unpruned or under a fixed mask."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from lottery.data.examples import Batch, Examples, shuffled
from lottery.model.adamw import AdamW
from lottery.model.batch import PackedBatch
from lottery.model.encoder import Encoder
from lottery.model.loss import total_loss
from lottery.model.parameters import FinetuneParameters
from lottery.runtime.resume import NO_JOURNAL, Journal
from lottery.seeds import entropy, rng
from lottery.subnetwork import Subnetwork
from lottery.tasks import Task

Progress = Callable[[int, int], None]
"""Called after each step with the steps done and the total."""
WHOLE = slice(None)
LAST = "last epoch"
"""Journal entry of a training: losses so far, and the optimiser's state after the last epoch."""


def finetune(
    encoder: Encoder,
    examples: Examples,
    task: Task,
    recipe: FinetuneParameters,
    seed: int,
    mask: Subnetwork | None = None,
    progress: Progress = lambda done, total: None,
    journal: Journal = NO_JOURNAL,
    span: slice = WHOLE,
) -> list[float]:
    """Train `encoder` in place and return the mean loss of each epoch.

    The seed sets shuffling and dropout, with one random stream per epoch, so that all subnetworks of a cell
    see the same batches. Weights pruned by `mask` are 0 before, during and after training. A training whose
    last epoch is in `journal` resumes from it, with the same result to the bit. Of all optimiser steps those in `span`
    are taken, with the batches and learning rates that they have in the whole; dropout begins with the first step that
    is taken in an epoch. A step that is not taken counts as 0 in the mean loss.
    """
    steps, started = recipe.steps(len(examples)), time.monotonic()
    steps_per_epoch = steps // recipe.epochs
    if mask is not None:
        encoder.mask(mask)
    with _occurring_words(encoder, examples) as narrowed:
        optimiser = AdamW(dict(encoder.named_parameters()))
        losses = _resume(optimiser, journal)
        step = _step_function(encoder, task, optimiser, recipe.clip, mask)
        learning_rates, taken = _learning_rates(recipe, steps), range(steps)[span]
        encoder.train()
        while (epoch := len(losses)) < recipe.epochs:
            order = rng(seed, "shuffle", examples.task, epoch)
            total = 0.0
            with _dropout_seed(entropy(seed, "dropout", examples.task, epoch)):
                for number, batch in enumerate(
                    shuffled(narrowed, recipe.batch, order), start=epoch * steps_per_epoch
                ):
                    if number in taken:
                        total += step(batch, learning_rates[number]) * len(batch.rows_B)
                    progress(number + 1, steps)
            losses.append(total / len(examples))
            if len(losses) < recipe.epochs and time.monotonic() - started > journal.patience:
                arrays = {name: tensor.cpu().numpy() for name, tensor in optimiser.state.items()}
                journal.note(LAST, losses, arrays)
    encoder.eval()
    return losses


def _resume(optimiser: AdamW, journal: Journal) -> list[float]:
    """Losses of the epochs already done; restores the optimiser's state after them."""
    losses, arrays = journal.recall(LAST) or ([], {})
    state = optimiser.state
    for name, array in arrays.items():
        state[name].copy_(torch.from_numpy(array))
    return list(losses)


def _step_function(
    encoder: Encoder, task: Task, optimiser: AdamW, clip: float, mask: Subnetwork | None
) -> Callable[[Batch, float], float]:
    """A function that trains on one batch at a learning rate and returns the mean loss."""
    masked = _masked_parameters(encoder, mask)

    def step(batch: Batch, learning_rate: float) -> float:
        tokens = PackedBatch.pack(batch.ids_T, batch.types_T, batch.lengths_B, encoder.device)
        labels_B = torch.from_numpy(batch.labels_B).to(encoder.device)
        loss = total_loss(task, encoder(tokens), labels_B) / len(labels_B)
        optimiser.zero_grad()
        loss.backward()
        _mask_gradients(*masked)
        optimiser.step(learning_rate, clip)
        return loss.item()

    return step


def _learning_rates(recipe: FinetuneParameters, steps: int) -> list[float]:
    """Learning rate of every step: linear warm-up, then linear decay to 0."""
    warmup = round(recipe.warmup * steps)
    return [
        recipe.learning_rate
        * ((step + 1) / warmup if step < warmup else (steps - step) / max(1, steps - warmup))
        for step in range(steps)
    ]


def _masked_parameters(
    encoder: Encoder, mask: Subnetwork | None
) -> tuple[list[nn.Parameter], list[Tensor]]:
    """The parameters that `mask` has a part for, and for each a tensor that is 1 where a weight is kept, else 0."""
    weights = dict(encoder.named_parameters())
    kept = {} if mask is None else dict(mask)
    factors = [
        torch.tensor(part, dtype=torch.float, device=encoder.device) for part in kept.values()
    ]
    return [weights[name] for name in kept], factors


def _mask_gradients(parameters: list[nn.Parameter], factors: list[Tensor]) -> None:
    """Set the gradients of pruned weights to 0.

    Both moments of AdamW start at 0 and stay there, so the update of a pruned weight is exactly 0 as well.
    """
    pairs = [
        (parameter.grad, factor)
        for parameter, factor in zip(parameters, factors, strict=True)
        if parameter.grad is not None
    ]
    if pairs:
        gradients, kept = zip(*pairs, strict=True)
        torch._foreach_mul_(gradients, kept)


@contextmanager
def _occurring_words(encoder: Encoder, examples: Examples) -> Iterator[Examples]:
    """Train the embeddings of the words that occur in `examples` only; yields them in this smaller vocabulary.

    Exact, because without weight decay a row that never has a gradient is never updated; it spares the optimiser
    most of the vocabulary at every step.
    """
    words = encoder.embeddings.words
    # An encoder that counts positions from the padding token's id needs this token at its place.
    first = np.arange(encoder.config.first_position, dtype=examples.ids_T.dtype)
    occurring, ids_T = np.unique(np.append(first, examples.ids_T), return_inverse=True)
    rows = torch.from_numpy(occurring.astype(np.int64)).to(encoder.device)
    full_table = words.weight
    words.weight = nn.Parameter(full_table.detach()[rows])
    try:
        yield replace(examples, ids_T=ids_T[len(first) :].astype(np.int32))
    finally:
        with torch.no_grad():
            full_table[rows] = words.weight
        words.weight = full_table


@contextmanager
def _dropout_seed(seed: int) -> Iterator[None]:
    """Seed torch's global random state, from which dropout draws, and restore it afterwards."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
