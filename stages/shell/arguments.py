"""A cell as the command line names it, the parameters set it, and the files of its task fill it."""

from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery.data import examples
from lottery.model.parameters import FinetuneParameters
from lottery.params import section
from lottery.runtime.parameters import ComputeParameters
from lottery.tasks import get_task as task_called
from lottery.tickets.retraining import Cell
from stages.shell import cli

Task = Annotated[str, Argument(help="Name of the task.")]
Seed = Annotated[int, Argument(help="Sets classifier, shuffling and dropout.")]
Data = Annotated[Path, Argument(help="Folder of the task's encoded examples.")]
Pretrained = Annotated[Path, Argument(help="Folder of the pre-trained encoder.")]
Model = Annotated[Path, Argument(help="Folder of the encoder fine-tuned with this seed.")]


def cell(task: str, seed: int, data: Path, pretrained: Path) -> Cell:
    """What fine-tuning takes, from the pre-trained encoder on."""
    tree = cli.parameters()
    return Cell(
        task=task_called(task),
        seed=seed,
        pretrained=pretrained,
        train=examples.load(data / "train.safetensors"),
        recipe=section(FinetuneParameters, tree),
        compute=section(ComputeParameters, tree),
    )
