"""Fractions of this project's time by kind of operation, and the speed of its matrix products."""

import time

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks import project
from benchmarks.gemm import fastest
from benchmarks.load import Load
from benchmarks.suite import Benchmark

PRODUCTS = "matrix products"
KINDS = {
    PRODUCTS: ("mm", "addmm", "bmm", "baddbmm"),
    "attention": (
        "_scaled_dot_product_flash_attention_for_cpu",
        "_scaled_dot_product_flash_attention_for_cpu_backward",
        "_softmax",
        "_softmax_backward_data",
    ),
    "dropout's random numbers": ("bernoulli_", "random_"),
    "AdamW": ("_fused_adamw_",),
    "sorting and counting": ("sort", "topk", "kthvalue", "histc", "bincount"),
}
SPEED = "products' speed"
"""Operations per second, as a fraction of the fastest product of this machine."""


def shares(benchmark: Benchmark) -> dict[str, dict[str, float]]:
    """Fractions of the time of one run of the project on one thread, by work."""
    torch.set_num_threads(1)
    return {pair.ours.work: _shares(pair.ours.work, benchmark.load) for pair in benchmark.pairs}


def _shares(work: str, load: Load) -> dict[str, float]:
    act = getattr(project, work)(load)
    started = time.perf_counter()
    with profile(activities=[ProfilerActivity.CPU], with_flops=True) as profiler:
        act()
    total = time.perf_counter() - started
    events = {event.key.removeprefix("aten::"): event for event in profiler.key_averages()}
    seconds = {
        kind: sum(events[name].self_cpu_time_total for name in names if name in events) / 1e6
        for kind, names in KINDS.items()
    }
    operations = sum(events[name].flops for name in KINDS[PRODUCTS] if name in events)
    fractions = {kind: spent / total for kind, spent in seconds.items() if spent}
    speed = operations / seconds[PRODUCTS] / fastest()
    return {PRODUCTS: fractions[PRODUCTS], SPEED: speed} | fractions
