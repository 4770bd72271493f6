"""ONNX file with weights of eight bits."""

from pathlib import Path
from tempfile import TemporaryDirectory

from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process

KEPT = 0.98
"""Share of its score that a model must keep."""


def write(model: Path, file: Path) -> None:
    """Write a float32 model with weights of eight bits; activations are quantised batch by batch.

    Each output of a projection has a scale of its own: with one for the whole matrix, tickets lose several points.
    """
    with TemporaryDirectory() as scratch:
        prepared = Path(scratch, model.name)
        quant_pre_process(model, prepared, skip_symbolic_shape=True)
        quantize_dynamic(prepared, file, per_channel=True, weight_type=QuantType.QInt8)


def accepted(full: float, quantised: float) -> bool:
    """True if eight bits lose at most 2 % of a score, a fifth of what pruning may lose.

    The 99 % that MLPerf asks for would be one or two examples of a small dev set, which chance decides.
    """
    return quantised >= full - (1 - KEPT) * abs(full)
