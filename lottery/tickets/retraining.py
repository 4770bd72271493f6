"""Score subnetworks: pruned from the fine-tuned model, or retrained from the pre-trained weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lottery.data.examples import Examples
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.model.evaluation import measure, predict
from lottery.model.parameters import FinetuneParameters
from lottery.model.training import LAST, Progress, finetune
from lottery.runtime.compute import arithmetic, chosen_device
from lottery.runtime.parameters import ComputeParameters
from lottery.runtime.resume import NO_JOURNAL, Journal
from lottery.seeds import entropy
from lottery.subnetwork import Subnetwork
from lottery.tasks import Task
from lottery.ticket import Ticket

Splits = Mapping[str, Examples]
SplitScores = Mapping[str, Mapping[str, float]]
"""Split -> metric -> value."""


@dataclass(frozen=True)
class Cell:
    """One task and seed, with what fine-tuning needs; `pretrained` is the folder of the pre-trained encoder."""

    task: Task
    seed: int
    pretrained: Path
    train: Examples
    recipe: FinetuneParameters
    compute: ComputeParameters


def finetune_cell(
    progress: Progress,
    cell: Cell,
    subnetwork: Subnetwork | None = None,
    journal: Journal = NO_JOURNAL,
) -> tuple[Encoder, list[float]]:
    """Fine-tune the pre-trained encoder, whole or under the fixed mask of `subnetwork`.

    Returns the encoder and the mean loss of each epoch. The seed sets the classifier's initial weights, the order
    of the examples and dropout, the same for every subnetwork of a cell.
    """
    seed, device = entropy(cell.seed, "classifier", cell.task.name), chosen_device(cell.compute)
    encoder = checkpoint.load(cell.pretrained, cell.task.classes, seed).to(device)
    mask = None
    if subnetwork is not None:
        encoder = encoder.cut(subnetwork)
        mask = None if subnetwork.shapes == encoder.config.shapes else subnetwork
    with arithmetic(cell.compute):
        losses = finetune(
            encoder, cell.train, cell.task, cell.recipe, cell.seed, mask, progress, journal
        )
    return encoder, losses


def score_retrained(
    progress: Progress,
    cell: Cell,
    subnetwork: Subnetwork,
    splits: Splits,
    journal: Journal = NO_JOURNAL,
) -> SplitScores:
    """Scores of the pre-trained weights fine-tuned under the fixed mask of `subnetwork`."""

    def retrain_and_score() -> SplitScores:
        encoder, _ = finetune_cell(progress, cell, subnetwork, journal)
        with arithmetic(cell.compute):
            return score_splits(encoder, cell.task, splits)

    scores: SplitScores = journal.once("scores", retrain_and_score)
    journal.forget(LAST)
    return scores


def score_pruned(
    progress: Progress,
    cell: Cell,
    model: Path,
    tickets: Sequence[Ticket],
    splits: Splits,
    journal: Journal = NO_JOURNAL,
) -> dict[str, SplitScores]:
    """Scores by ticket name of the fine-tuned model, pruned to each ticket."""
    encoder = checkpoint.load(model, cell.task.classes).to(chosen_device(cell.compute))

    def prune_and_score(ticket: Ticket) -> SplitScores:
        pruned = encoder if ticket.is_whole else encoder.cut(ticket.subnetwork)
        with arithmetic(cell.compute):
            return score_splits(pruned, cell.task, splits)

    scores = {}
    for done, ticket in enumerate(tickets, start=1):
        scores[ticket.name] = journal.once(ticket.name, partial(prune_and_score, ticket))
        progress(done, len(tickets))
    return scores


def score_splits(encoder: Encoder, task: Task, splits: Splits) -> SplitScores:
    """Every metric of the task on every split."""
    return {
        name: measure(task, predict(encoder, examples), examples)
        for name, examples in splits.items()
    }
