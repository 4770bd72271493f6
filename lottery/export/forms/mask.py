"""One bit for each prunable weight, and the weights that are left."""

from pathlib import Path

from lottery.export import bitmask
from lottery.export.ready import Ready, of_encoder
from lottery.export.trained import TrainedModel
from lottery.model.encoder import Encoder


def write(model: TrainedModel, file: Path) -> None:
    """Write the masks and all weights that are not zeros."""
    bitmask.save(model.encoder, model.subnetwork, file)


def load(file: Path, model: TrainedModel) -> Ready:
    """The encoder whose weights are in `file`."""
    encoder = Encoder.of(model.encoder.config, model.task.classes, bitmask.load(file))
    return of_encoder(encoder.eval())
