"""What one core of this machine can do, and how far this project's works are from it, in both precisions.

Peaks are the fastest square matrix product and the fastest copy of an array that no cache holds. Operations are those
of matrix products and attention; padding that is computed counts as work, everything else as time only.
"""

import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import msgspec
import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from benchmarks import project, suite
from benchmarks.encoders import Encoders
from benchmarks.gemm import SIDE
from benchmarks.load import Load
from lottery.report.provenance import machine
from lottery.runtime.compute import arithmetic, uses_bfloat16
from lottery.runtime.parameters import ComputeParameters

WORK = "hardware"
WORKS = ("scoring", "importance", "s_search", "m_search", "finetune", "retrain")
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
COPIED = 2**28
"""Bytes of the array that is copied."""
RUNS = 5


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """A work on one core: operations, median seconds of CPU, and the fraction of `Peaks.products` that they reach."""

    encoder: str
    work: str
    precision: str
    operations: float
    seconds: float
    fraction: float


class Peaks(msgspec.Struct, frozen=True, kw_only=True):
    """Most of one core: operations per second of products by precision, bytes per second of copies, and who reaches how much."""

    machine: str
    products: dict[str, float]
    copy: float
    reached: list[Reach]


def measured(encoders: Encoders, sizes: list[str], quick: bool) -> Peaks:
    """The peaks of this machine, and the works of encoders of some sizes next to them."""
    torch.set_num_threads(1)
    products = {name: _products(PRECISIONS[name]) for name in _precisions()}
    loads = [
        (benchmark.encoder, work, benchmark.load)
        for work in WORKS
        for benchmark in suite.benchmarks(work, encoders, quick)
        if benchmark.encoder in sizes
    ]
    reached = [
        _reach(encoder, work, load, precision, peak)
        for encoder, work, load in loads
        for precision, peak in products.items()
    ]
    return Peaks(machine=machine(), products=products, copy=_copy(), reached=reached)


def _precisions() -> Iterator[str]:
    yield "float32"
    if uses_bfloat16(_compute("auto")):
        yield "bfloat16"


def _compute(precision: str) -> ComputeParameters:
    values = {"threads": 1, "alone": 1, "device": "cpu", "precision": precision}
    return msgspec.convert(values, ComputeParameters)


def _reach(encoder: str, work: str, load: Load, precision: str, peak: float) -> Reach:
    prepare = getattr(project, work)
    with arithmetic(_compute(precision)):
        with FlopCounterMode(display=False, custom_mapping=ATTENTION) as counter:
            prepare(load)()
        seconds = median(_seconds(prepare(load)) for _ in range(RUNS))
    operations = counter.get_total_flops()
    return Reach(
        encoder=encoder,
        work=work,
        precision=precision,
        operations=operations,
        seconds=seconds,
        fraction=operations / seconds / peak,
    )


def _seconds(act: Any) -> float:
    started = time.process_time()
    act()
    return time.process_time() - started


def _products(dtype: torch.dtype) -> float:
    """Operations per second of a square product that fits the caches, the best of 20."""
    left, right = torch.rand(2, SIDE, SIDE).to(dtype)
    return 2 * SIDE**3 / min(_seconds(lambda: left @ right) for _ in range(20))


def _copy() -> float:
    """Bytes read and written per second, the best of 20."""
    source, target = torch.ones(2, COPIED, dtype=torch.uint8)
    return 2 * COPIED / min(_seconds(lambda: target.copy_(source)) for _ in range(20))


def _forward(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return int(sdpa_flop_count(query, key, value))


def _backward(grad: Any, query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return int(sdpa_backward_flop_count(grad, query, key, value))


ATTENTION = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _forward,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _backward,
}
"""Operations of torch's fused attention on a CPU, which its counter does not know."""
