"""The cell that the arguments of a stage name."""

from pathlib import Path

from lottery.data import examples
from lottery.model.parameters import FinetuneParameters
from lottery.params import section
from lottery.runtime.parameters import ComputeParameters
from lottery.tasks import get_task
from lottery.tickets.retraining import Cell
from stages.shell import cli


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
