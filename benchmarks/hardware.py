"""What one core of this machine can do, and how far this project's works are from it, in both precisions.

Peaks are the fastest square matrix product and the fastest copy of an array that no cache holds. Operations are those
of matrix products and attention; padding that is computed counts as work, everything else as time only.
"""

import time
from collections.abc import Callable, Collection, Iterator
from statistics import median
from typing import Any

import msgspec
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, sdpa_backward_flop, sdpa_flop

from benchmarks import project, suite
from benchmarks.encoders import Encoders
from benchmarks.gemm import fastest
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
    """A work on one core: its operations, the median of its seconds of CPU, and how much of the peak that is."""

    encoder: str
    work: str
    precision: str
    operations: int
    seconds: float
    fraction: float


class Hardware(msgspec.Struct, frozen=True, kw_only=True):
    """One core: operations a second of products by precision, bytes a second of copies, and what works reach of it."""

    machine: str
    products: dict[str, float]
    copies: float
    reached: list[Reach]


class Operations(TorchDispatchMode):
    """Counts operations of products and attention, of the backward pass too, as torch's own counter does.

    That counter follows modules, which ends with an error where gradients are taken of gates.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        options = kwargs or {}
        count = COUNTS.get(func.overloadpacket)
        if count is None:
            with self:  # without gradients, a linear layer arrives whole
                parts = func.decompose(*args, **options)
            return func(*args, **options) if parts is NotImplemented else parts
        result = func(*args, **options)
        self.total += count(*args, **options, out_val=result)
        return result


aten = torch.ops.aten
COUNTS = flop_registry | {
    aten._scaled_dot_product_flash_attention_for_cpu: sdpa_flop,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: sdpa_backward_flop,
}
"""Operations of one call; torch has no entry for fused attention on a CPU."""


def measured(encoders: Encoders, sizes: Collection[str], quick: bool) -> Hardware:
    """The peaks of this machine, and the works of encoders of some sizes next to them."""
    torch.set_num_threads(1)
    products = {name: fastest(PRECISIONS[name]) for name in _precisions()}
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
    return Hardware(machine=machine(), products=products, copies=_copies(), reached=reached)


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
        with Operations() as operations:
            prepare(load)()
        seconds = median(_seconds(prepare(load)) for _ in range(RUNS))
    return Reach(
        encoder=encoder,
        work=work,
        precision=precision,
        operations=operations.total,
        seconds=seconds,
        fraction=operations.total / seconds / peak,
    )


def _seconds(act: Callable[[], object]) -> float:
    started = time.process_time()
    act()
    return time.process_time() - started


def _copies() -> float:
    """Bytes read and written per second, the best of 20."""
    source, target = torch.ones(2, COPIED, dtype=torch.uint8)
    return 2 * COPIED / min(_seconds(lambda: target.copy_(source)) for _ in range(20))
