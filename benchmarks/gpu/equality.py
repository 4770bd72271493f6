"""Equality of a device with the CPU: logits, importance, masks of both searches, and one training."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from benchmarks import project
from benchmarks.gpu.records import Check
from benchmarks.load import TASK, Load
from benchmarks.rows import differing_bits, relative
from lottery.model import checkpoint
from lottery.model.dropout import Dropout
from lottery.model.training import finetune
from lottery.runtime.compute import arithmetic
from lottery.runtime.parameters import ComputeParameters

LIMITS = {
    "float32": {"logits": 1e-4, "importance": 1e-3, "s-search": 0.05, "m-search": 0.0, "loss": 1e-3},
    "bfloat16": {"logits": 5e-2, "importance": 0.2, "s-search": 0.5, "m-search": 0.0, "loss": 5e-2},
}  # fmt: skip
"""Largest differences: relative ones, and of searches the share of bits of all masks that differ, all bits of a
candidate that only one search has.

Weights that are compared by size alone give the same masks anywhere; heads whose importance is nearly equal change
places with the last bits. The losses are those of trainings without dropout, since random numbers of devices differ.
"""


def compared(load: Load, encoder: str, compute: ComputeParameters) -> Iterator[Check]:
    """Compare the device and precision with float32 on the CPU, whichever the device."""
    reference = replace(load, device="cpu")
    exact = ComputeParameters(threads=1, alone=1, device="cpu", precision="float32")
    theirs = _results(reference, exact)
    ours = _results(load, compute)
    for name, limit in LIMITS[compute.precision].items():
        difference = (
            _differing(ours[name], theirs[name])
            if "search" in name
            else relative(ours[name], theirs[name])
        )
        yield Check(
            compared=name,
            encoder=encoder,
            precision=compute.precision,
            difference=difference,
            limit=limit,
        )


def _results(load: Load, compute: ComputeParameters) -> Mapping[str, Any]:
    with arithmetic(compute):
        gradients = project.importance(load)()
        parts = [np.ravel(gradients[part]) for part in ("heads", "mlps")]
        return {
            "logits": gradients["logits"],
            "importance": np.concatenate(parts),
            "s-search": np.array(project.s_search(load)()["masks"]),
            "m-search": np.array(project.m_search(load)()["masks"]),
            "loss": _losses(load),
        }


def _losses(load: Load) -> np.ndarray:
    """Mean losses of two epochs without dropout; the second one tells of all updates in the first."""
    encoder = checkpoint.load(load.folder, TASK.classes).to(load.device)
    for module in encoder.modules():
        if isinstance(module, Dropout):
            module.p = 0.0
    recipe = msgspec.structs.replace(load.recipe, epochs=2)
    return np.array(finetune(encoder, load.examples, TASK, recipe, 1))


def _differing(ours: np.ndarray, theirs: np.ndarray) -> float:
    differing, bits = differing_bits(ours, theirs)
    return differing / bits
