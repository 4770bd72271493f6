"""ONNX file of an encoder, without the heads and MLPs that were pruned, and what onnxruntime computes from it.

Legend for tensor suffixes: B examples of a batch, S its longest sentence, C classes.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime
import torch
from onnxscript.ir.passes.common import ClearMetadataAndDocStringPass
from torch import Tensor, nn
from torch.export import Dim

from lottery.data.examples import Examples
from lottery.export.ready import INPUTS, Call, Ready, padded
from lottery.model.batch import PackedBatch
from lottery.model.encoder import Encoder

AXES = ("batch", "length")
OUTPUT = "logits"
OPSET = 20
"""The first set of operators with the exact GELU of BERT; onnxruntime has it since 1.17."""


class Padded(nn.Module):
    """The encoder as other programs call it: padded ids, mask and, if there are several, types in, logits out."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, ids_BS: Tensor, mask_BS: Tensor, types_BS: Tensor | None = None) -> Tensor:
        """Logits [B, C]; the mask is 0 where a sentence is padded, at its end."""
        batch, length = ids_BS.shape
        packed = PackedBatch(
            ids_T=ids_BS.flatten(),
            types_T=(torch.zeros_like(ids_BS) if types_BS is None else types_BS).flatten(),
            positions_T=torch.arange(length).repeat(batch),
            example_T=torch.arange(batch * length) // length,
            cls_B=length * torch.arange(batch),
            slots_T=None,
            attention_mask_B11S=mask_BS[:, None, None, :] > 0,
            longest=length,
        )
        return cast(Tensor, self.encoder(packed))


def write(encoder: Encoder, file: Path) -> None:
    """Write the encoder as one file, for batches of any size and sentences of any length that it has positions for."""
    names = INPUTS if encoder.config.type_vocab_size > 1 else INPUTS[:-1]
    example = tuple(torch.ones(2, 2, dtype=torch.long) for _ in names)
    shape_BS = (Dim.DYNAMIC, Dim("length", max=encoder.config.longest))
    with _silenced(), torch.no_grad():
        # The tracer of `strict` follows Python's `len`, which the other one turns into a constant.
        program = torch.export.export(
            Padded(encoder.eval()), example, dynamic_shapes=(shape_BS,) * len(names), strict=True
        )
        exported = torch.onnx.export(
            program, input_names=names, output_names=[OUTPUT], opset_version=OPSET, verbose=False
        )
    assert exported is not None  # noqa: S101 - it is None only if torch wrote a file
    axes_BS = map(str, exported.model.graph.inputs[0].shape or ())
    exported.rename_axes(dict(zip(axes_BS, AXES, strict=True)))
    # Metadata quotes the source, with the paths of this machine.
    ClearMetadataAndDocStringPass()(exported.model)
    exported.save(file)


def session(file: Path) -> onnxruntime.InferenceSession:
    """An inference session of onnxruntime on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def load(file: Path) -> Ready:
    """The model in a file, loaded in onnxruntime."""
    model = session(file)
    names = [entry.name for entry in model.get_inputs()]

    def ready(examples: Examples) -> Call:
        arrays = padded(examples)
        inputs = {name: arrays[name] for name in names}
        return lambda: model.run([OUTPUT], inputs)[0].astype(np.float64)

    return ready


@contextmanager
def _silenced() -> Iterator[None]:
    """Without torch's warnings about itself and about packages that it would also know."""
    registration = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = registration.level
    registration.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        registration.setLevel(level)
