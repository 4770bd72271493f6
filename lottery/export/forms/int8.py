"""ONNX file with weights of eight bits."""

from pathlib import Path
from tempfile import TemporaryDirectory

from lottery.export import eight_bits, onnx_file
from lottery.export.form import ONNX
from lottery.export.ready import Ready
from lottery.export.trained import TrainedModel


def write(model: TrainedModel, file: Path) -> None:
    """Write the encoder with eight bits, from the float32 file beside it if there is one."""
    with TemporaryDirectory() as scratch:
        if not (original := file.with_name(ONNX.file)).exists():
            original = Path(scratch, ONNX.file)
            onnx_file.write(model.encoder, original)
        eight_bits.write(original, file)


def load(file: Path, _: TrainedModel) -> Ready:
    """The model in `file` in onnxruntime."""
    return onnx_file.load(file)
