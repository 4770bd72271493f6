"""Command-line arguments of the stages that work on one cell."""

from pathlib import Path
from typing import Annotated

from typer import Argument

Task = Annotated[str, Argument(help="Name of the task.")]
Seed = Annotated[int, Argument(help="Seed of the data, the classifier, shuffling and dropout.")]
Data = Annotated[Path, Argument(help="Folder of the examples encoded for this task and seed.")]
Pretrained = Annotated[Path, Argument(help="Folder of the pre-trained encoder.")]
Model = Annotated[Path, Argument(help="Folder of the encoder fine-tuned with this seed.")]

Scores = Annotated[Path, Argument(help="Table for the scores.")]
Predictions = Annotated[Path, Argument(help="Table for the predictions, from which scores follow.")]
