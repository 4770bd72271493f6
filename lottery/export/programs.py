"""The programs whose speed is measured: one record each, with the file that it reads and how it is called."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification
from transformers.utils import logging

from lottery.data.examples import Examples, packed
from lottery.export import formats
from lottery.export.checks import BUDGET, Logits, padded
from lottery.export.trained import TrainedModel
from lottery.model import checkpoint
from lottery.model.batch import PackedBatch

Call = Callable[[], Logits]
"""Computes the logits [B, C] of a batch that is ready."""
Ready = Callable[[Examples], Call]
"""Makes a batch of all the examples, in the form that the program takes."""


@dataclass(frozen=True)
class Program:
    """A program that runs a trained model on one thread.

    write: writes the model into a folder. file: where its weights are there. load: the model in a folder, with this
    number of classes, ready for batches.
    """

    name: str
    write: Callable[[TrainedModel, Path], None]
    file: str
    load: Callable[[Path, int], Ready]


def logits(ready: Ready, examples: Examples) -> Logits:
    """Logits [N, C], in the order of the examples."""
    parts = [
        (batch.rows_B, ready(examples.take(batch.rows_B))()) for batch in packed(examples, BUDGET)
    ]
    rows_N, logits_NC = (np.concatenate(part) for part in zip(*parts, strict=True))
    ordered_NC: Logits = logits_NC[np.argsort(rows_N)]
    return ordered_NC


def tokens(examples: Examples) -> PackedBatch:
    """All examples as one batch of this project."""
    return PackedBatch.pack(examples.ids_T, examples.types_T, examples.lengths_N)


def _write_here(model: TrainedModel, folder: Path) -> None:
    checkpoint.save(model.encoder, folder / "lottery")


def _load_here(folder: Path, classes: int) -> Ready:
    encoder = checkpoint.load(folder / "lottery", classes)

    def ready(examples: Examples) -> Call:
        batch = tokens(examples)
        return torch.inference_mode()(lambda: encoder(batch).double().numpy())

    return ready


def _load_transformers(folder: Path) -> Ready:
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True).eval()
    names = ("input_ids", "attention_mask", "token_type_ids")

    def ready(examples: Examples) -> Call:
        arrays = padded(examples.ids_T, examples.types_T, examples.lengths_N)
        inputs = dict(zip(names, map(torch.from_numpy, arrays), strict=True))
        return torch.inference_mode()(lambda: model(**inputs).logits.double().numpy())

    return ready


def _load_onnx(file: Path) -> Ready:
    from lottery.export import onnx

    session = onnx.session(file)

    def ready(examples: Examples) -> Call:
        arrays = padded(examples.ids_T, examples.types_T, examples.lengths_N)
        inputs = dict(zip(onnx.INPUTS, arrays, strict=True))
        return lambda: session.run([onnx.OUTPUT], inputs)[0].astype(np.float64)

    return ready


LOTTERY = Program(
    name="lottery",
    write=_write_here,
    file="lottery/model.safetensors",
    load=_load_here,
)
TRANSFORMERS = Program(
    name="transformers",
    write=formats.TRANSFORMERS.write,
    file=formats.TRANSFORMERS.file,
    load=lambda folder, _: _load_transformers(folder),
)
ONNX = Program(
    name="onnxruntime",
    write=formats.ONNX.write,
    file=formats.ONNX.file,
    load=lambda folder, _: _load_onnx(folder / formats.ONNX.file),
)
INT8 = Program(
    name="int8",
    write=formats.INT8.write,
    file=formats.INT8.file,
    load=lambda folder, _: _load_onnx(folder / formats.INT8.file),
)
PROGRAMS: Mapping[str, Program] = {
    program.name: program for program in (LOTTERY, TRANSFORMERS, ONNX, INT8)
}
"""All programs by name, in the order of tables."""
