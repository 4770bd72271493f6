"""Command-line arguments of the stages that work on one cell, and the cell they describe."""

from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery.data import examples
from lottery.model.parameters import FinetuneParameters
from lottery.params import section
from lottery.runtime.parameters import ComputeParameters
from lottery.tasks import get_task
from lottery.tickets.retraining import Cell
from stages.shell import cli

Task = Annotated[str, Argument(help="Name of the task.")]
Seed = Annotated[int, Argument(help="Seed of the data, the classifier, shuffling and dropout.")]
Data = Annotated[Path, Argument(help="Folder of the examples encoded for this task and seed.")]
Pretrained = Annotated[Path, Argument(help="Folder of the pre-trained encoder.")]
Model = Annotated[Path, Argument(help="Folder of the encoder fine-tuned with this seed.")]


def cell(task: str, seed: int, data: Path, pretrained: Path) -> Cell:
    """The cell: task, seed, training examples and parameters of fine-tuning."""
    tree = cli.parameters()
    return Cell(
        task=get_task(task),
        seed=seed,
        pretrained=pretrained,
        train=examples.load(data / "train.safetensors"),
        recipe=section(FinetuneParameters, tree),
        compute=section(ComputeParameters, tree),
    )
