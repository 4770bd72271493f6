"""Encoder of this project without the heads and MLPs that were pruned, with its tokenizer."""

from pathlib import Path

from lottery.export import portable, tokenizer
from lottery.export.ready import Ready, of_encoder
from lottery.export.trained import TrainedModel
from lottery.model import checkpoint


def write(model: TrainedModel, file: Path) -> None:
    """Write the weights as `file`, and config.json and the tokenizer beside it."""
    portable.write(model.encoder, model.task, file.parent)
    tokenizer.write(model.tokenizer, file.parent)


def load(file: Path, model: TrainedModel) -> Ready:
    """The encoder in the folder of `file`."""
    return of_encoder(checkpoint.load(file.parent, model.task.classes))
