"""One subnetwork put to the test: as cut from the fine-tuned model, and fine-tuned again from the start."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lottery.data.examples import Examples
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.model.evaluation import measure, predict
from lottery.model.training import LAST, FinetuneParameters, Progress, finetune
from lottery.runtime.compute import ComputeParameters
from lottery.runtime.resume import NO_JOURNAL, Journal
from lottery.seeds import entropy
from lottery.subnetwork import Subnetwork
from lottery.tasks import Task

Splits = Mapping[str, Examples]
SplitScores = Mapping[str, Mapping[str, float]]
"""Split -> metric -> value."""


@dataclass(frozen=True)
class Cell:
    """One task and seed, and what fine-tuning it takes: `pretrained` is the encoder's folder."""

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
    """The pre-trained encoder fine-tuned whole, or under the mask of `subnetwork`, and its epochs' losses.

    The seed sets the classifier's first values, the order of the examples and dropout, the same for every
    subnetwork of a cell.
    """
    seed = entropy(cell.seed, "classifier", cell.task.name)
    encoder = checkpoint.load(cell.pretrained, cell.task.classes, seed).to(cell.compute.chosen)
    mask = None
    if subnetwork is not None:
        encoder = encoder.cut(subnetwork)
        mask = None if subnetwork.shapes == encoder.config.shapes else subnetwork
    with cell.compute.arithmetic:
        losses = finetune(
            encoder, cell.train, cell.task, cell.recipe, cell.seed, mask, progress, journal
        )
    return encoder, losses


def score_retrained(
    progress: Progress,
    cell: Cell,
    subnetwork: Subnetwork | None,
    splits: Splits,
    journal: Journal = NO_JOURNAL,
) -> SplitScores:
    """Scores of the subnetwork after fine-tuning the pre-trained weights under its fixed mask."""

    def work() -> SplitScores:
        encoder, _ = finetune_cell(progress, cell, subnetwork, journal)
        with cell.compute.arithmetic:
            return score_splits(encoder, cell.task, splits)

    found: SplitScores = journal.once("scores", work)
    journal.forget(LAST)
    return found


def score_pruned(
    progress: Progress,
    cell: Cell,
    model: Path,
    subnetworks: Mapping[str, Subnetwork | None],
    splits: Splits,
    journal: Journal = NO_JOURNAL,
) -> dict[str, SplitScores]:
    """Scores of the fine-tuned model with nothing left but each subnetwork (None: the whole model)."""
    encoder = checkpoint.load(model, cell.task.classes).to(cell.compute.chosen)

    def work(subnetwork: Subnetwork | None) -> SplitScores:
        left = encoder if subnetwork is None else encoder.cut(subnetwork)
        with cell.compute.arithmetic:
            return score_splits(left, cell.task, splits)

    found = {}
    for done, (name, subnetwork) in enumerate(subnetworks.items(), start=1):
        found[name] = journal.once(name, partial(work, subnetwork))
        progress(done, len(subnetworks))
    return found


def score_splits(encoder: Encoder, task: Task, splits: Splits) -> SplitScores:
    """Every metric of the task on every split."""
    return {
        name: measure(task, predict(encoder, examples), examples)
        for name, examples in splits.items()
    }
