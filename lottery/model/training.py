"""Fine-tuning, of the whole encoder or of a subnetwork whose mask stays fixed."""

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
from lottery.runtime.resume import NOWHERE, Journal
from lottery.seeds import entropy, rng
from lottery.subnetwork import Subnetwork
from lottery.tasks import Task

Progress = Callable[[int, int], None]
"""Told after each step: steps done, steps in all."""


def finetune(
    encoder: Encoder,
    examples: Examples,
    task: Task,
    recipe: FinetuneParameters,
    seed: int,
    mask: Subnetwork | None = None,
    progress: Progress = lambda done, total: None,
    journal: Journal = NOWHERE,
) -> list[float]:
    """Train `encoder` in place and return the mean loss of each epoch.

    The seed sets shuffling and dropout, for each epoch a stream of its own, so that every subnetwork of a
    cell sees the same batches. Weights pruned by `mask` are 0 before, during and after. A training whose
    last epoch is in `journal` goes on from there, to the same bits.
    """
    per_epoch = -(-len(examples) // recipe.batch)
    steps, began = recipe.epochs * per_epoch, time.monotonic()
    if mask is not None:
        encoder.mask(mask)
    with _known_words(encoder, examples) as known:
        adam = AdamW(dict(encoder.named_parameters()))
        losses = _resumed(adam, journal)
        step = _stepper(encoder, task, adam, recipe.clip, mask)
        rates = iter(_rates(recipe, steps)[len(losses) * per_epoch :])
        encoder.train()
        while (epoch := len(losses)) < recipe.epochs:
            order = rng(seed, "shuffle", examples.task, epoch)
            total = 0.0
            with _dropout_seed(entropy(seed, "dropout", examples.task, epoch)):
                for done, batch in enumerate(shuffled(known, recipe.batch, order), start=1):
                    total += step(batch, next(rates)) * len(batch.rows_B)
                    progress(epoch * per_epoch + done, steps)
            losses.append(total / len(examples))
            if len(losses) < recipe.epochs and time.monotonic() - began > journal.patience:
                journal.note(LAST, losses, {n: t.cpu().numpy() for n, t in adam.state.items()})
    encoder.eval()
    return losses


LAST = "last epoch"
"""The unit of a training's journal: its state after an epoch, and the losses so far."""


def _resumed(adam: AdamW, journal: Journal) -> list[float]:
    """The losses of the epochs that are done; their state is put back."""
    losses, arrays = journal.recall(LAST) or ([], {})
    state = adam.state
    for name, array in arrays.items():
        state[name].copy_(torch.from_numpy(array))
    return list(losses)


def _stepper(
    encoder: Encoder, task: Task, adam: AdamW, clip: float, mask: Subnetwork | None
) -> Callable[[Batch, float], float]:
    """One step on a batch at a learning rate, returning the batch's mean loss."""
    masked = _masked_parameters(encoder, mask)

    def step(batch: Batch, rate: float) -> float:
        tokens = PackedBatch.of(batch.ids_T, batch.types_T, batch.lengths_B, encoder.device)
        labels_B = torch.from_numpy(batch.labels_B).to(encoder.device)
        loss = total_loss(task, encoder(tokens), labels_B) / len(labels_B)
        adam.clear()
        loss.backward()
        _keep_masked(masked)
        nn.utils.clip_grad_norm_(encoder.parameters(), clip)
        adam.step(rate)
        return loss.item()

    return step


def _rates(recipe: FinetuneParameters, steps: int) -> list[float]:
    """The learning rate of every step: up over the warm-up, then down to 0, linearly."""
    rise = round(recipe.warmup * steps)
    return [
        recipe.learning_rate
        * ((step + 1) / rise if step < rise else (steps - step) / max(1, steps - rise))
        for step in range(steps)
    ]


def _masked_parameters(
    encoder: Encoder, mask: Subnetwork | None
) -> tuple[list[nn.Parameter], list[Tensor]]:
    weights = dict(encoder.named_parameters())
    kept = {} if mask is None else dict(mask)
    factors = [
        torch.tensor(part, dtype=torch.float, device=encoder.device) for part in kept.values()
    ]
    return [weights[name] for name in kept], factors


def _keep_masked(masked: tuple[list[nn.Parameter], list[Tensor]]) -> None:
    """Gradients of masked weights become 0: with AdamW from zero state, so do their updates."""
    parameters, factors = masked
    if parameters:
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        torch._foreach_mul_(gradients, factors)


@contextmanager
def _known_words(encoder: Encoder, examples: Examples) -> Iterator[Examples]:
    """Train only the embeddings of words that occur, which are the only ones that would ever move.

    Exact, for without weight decay a row that never has a gradient is never updated; it spares the optimiser
    most of the vocabulary at every step. Yields the examples in the narrowed vocabulary.
    """
    words, (known, ids_T) = encoder.embeddings.words, np.unique(examples.ids_T, return_inverse=True)
    rows = torch.from_numpy(known.astype(np.int64)).to(encoder.device)
    everything = words.weight
    words.weight = nn.Parameter(everything.detach()[rows])
    try:
        yield replace(examples, ids_T=ids_T.astype(np.int32))
    finally:
        with torch.no_grad():
            everything[rows] = words.weight
        words.weight = everything


@contextmanager
def _dropout_seed(seed: int) -> Iterator[None]:
    """Dropout draws from torch's global stream: seed it here, and leave it as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
