"""Where the project's time goes: the share of matrix products, and how near the machine's best they are."""

import time

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks import project
from benchmarks.contests import Contest
from benchmarks.gemm import SIDE
from benchmarks.load import Load

PRODUCTS = "matrix products"
KINDS = {
    PRODUCTS: ("mm", "addmm", "bmm", "baddbmm"),
    "attention": (
        "_scaled_dot_product_flash_attention_for_cpu",
        "_scaled_dot_product_flash_attention_for_cpu_backward",
        "_softmax",
        "_softmax_backward_data",
    ),
    "dropout's random numbers": ("bernoulli_",),
    "AdamW": ("_fused_adamw_",),
    "sorting and counting": ("sort", "topk", "kthvalue", "histc", "bincount"),
}
SPEED = "products' speed"
"""In operations a second, as a share of the fastest product of this machine."""


def shares(contest: Contest) -> dict[str, dict[str, float]]:
    """By work, the shares of the seconds of one run of the project on one thread."""
    torch.set_num_threads(1)
    return {pair.ours.work: _shares(pair.ours.work, contest.load) for pair in contest.pairs}


def _shares(work: str, load: Load) -> dict[str, float]:
    act = getattr(project, work)(load)
    began = time.perf_counter()
    with profile(activities=[ProfilerActivity.CPU], with_flops=True) as found:
        act()
    whole = time.perf_counter() - began
    events = {event.key.removeprefix("aten::"): event for event in found.key_averages()}
    spent = {
        kind: sum(events[name].self_cpu_time_total for name in names if name in events) / 1e6
        for kind, names in KINDS.items()
    }
    made = sum(events[name].flops for name in KINDS[PRODUCTS] if name in events)
    told = {kind: seconds / whole for kind, seconds in spent.items() if seconds}
    return {PRODUCTS: told[PRODUCTS], SPEED: made / spent[PRODUCTS] / _fastest()} | told


def _fastest() -> float:
    """Operations a second of a square product that fits the caches: the best of 20."""
    left, right = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    best = float("inf")
    for _ in range(20):
        began = time.perf_counter()
        left @ right
        best = min(best, time.perf_counter() - began)
    return 2 * SIDE**3 / best
