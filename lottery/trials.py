"""One subnetwork put to the test: as cut from the fine-tuned model, and fine-tuned again from the start."""

from collections.abc import Callable, Mapping
from pathlib import Path

from lottery import checkpoint
from lottery.encoder import Encoder
from lottery.evaluation import measure, predict
from lottery.examples import Examples
from lottery.parallel import Compute
from lottery.seeds import entropy
from lottery.subnetwork import Subnetwork
from lottery.tasks import Task
from lottery.training import Progress, Recipe, finetune

Measured = Mapping[str, Mapping[str, float]]
"""Split -> metric -> value."""


def finetuned(
    progress: Progress,
    pretrained: Path,
    task: Task,
    seed: int,
    train: Examples,
    recipe: Recipe,
    compute: Compute,
    subnetwork: Subnetwork | None = None,
) -> tuple[Encoder, list[float]]:
    """The pre-trained encoder fine-tuned whole, or under the mask of `subnetwork`, and its epochs' losses.

    The seed sets the classifier's first values, the order of the examples and dropout, the same for every
    subnetwork of a cell.
    """
    encoder = checkpoint.load(pretrained, task.classes, entropy(seed, "classifier", task.name))
    encoder = encoder.to(compute.chosen)
    mask = None
    if subnetwork is not None:
        encoder = encoder.cut(subnetwork)
        mask = subnetwork if subnetwork.shapes != encoder.config.shapes else None
    losses = finetune(encoder, train, task, recipe, seed, mask, progress)
    return encoder, losses


def retrain(
    progress: Progress,
    pretrained: Path,
    task: Task,
    seed: int,
    train: Examples,
    recipe: Recipe,
    compute: Compute,
    subnetwork: Subnetwork,
    splits: Mapping[str, Examples],
) -> Measured:
    """Scores of the subnetwork after fine-tuning the pre-trained weights under its fixed mask."""
    encoder, _ = finetuned(
        progress, pretrained, task, seed, train, recipe, compute, subnetwork
    )
    return scores(encoder, task, splits)


def as_cut(
    progress: Callable[[int, int], None],
    model: Path,
    task: Task,
    compute: Compute,
    subnetworks: Mapping[str, Subnetwork | None],
    splits: Mapping[str, Examples],
) -> dict[str, Measured]:
    """Scores of the fine-tuned model with nothing left but each subnetwork (None: the whole model)."""
    encoder = checkpoint.load(model, task.classes).to(compute.chosen)
    found = {}
    for done, (name, subnetwork) in enumerate(subnetworks.items(), start=1):
        left = encoder if subnetwork is None else encoder.cut(subnetwork)
        found[name] = scores(left, task, splits)
        progress(done, len(subnetworks))
    return found


def scores(encoder: Encoder, task: Task, splits: Mapping[str, Examples]) -> Measured:
    """Every metric of the task on every split."""
    return {
        name: measure(task, predict(encoder, examples), examples)
        for name, examples in splits.items()
    }
