"""ONNX file without the heads and MLPs that were pruned."""

from pathlib import Path

from lottery.export import onnx_file
from lottery.export.ready import Ready
from lottery.export.trained import TrainedModel


def write(model: TrainedModel, file: Path) -> None:
    """Write the encoder."""
    onnx_file.write(model.encoder, file)


def load(file: Path, _: TrainedModel) -> Ready:
    """The model in `file` in onnxruntime."""
    return onnx_file.load(file)
