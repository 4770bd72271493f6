"""Quantisation of an ONNX file to weights of eight bits."""

from pathlib import Path
from tempfile import TemporaryDirectory

from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process


def write(model: Path, file: Path) -> None:
    """Write a float32 model with weights of eight bits; activations are quantised batch by batch.

    Each output of a projection has a scale of its own: with one for the whole matrix, tickets lose several points.
    """
    with TemporaryDirectory() as scratch:
        prepared = Path(scratch, model.name)
        quant_pre_process(model, prepared, skip_symbolic_shape=True)
        quantize_dynamic(prepared, file, per_channel=True, weight_type=QuantType.QInt8)
