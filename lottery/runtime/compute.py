"""Device, precision and number of processes that a run's parameters lead to on this machine."""

from contextlib import AbstractContextManager

import torch

from lottery.errors import UserError
from lottery.runtime.cores import usable_cores
from lottery.runtime.parameters import ComputeParameters


def chosen_device(compute: ComputeParameters) -> torch.device:
    """The device to compute on. Raises UserError if a GPU is required and there is none."""
    if compute.device == "cuda" and not torch.cuda.is_available():
        raise UserError("parameters: compute.device = 'cuda': torch finds no GPU; use auto or cpu")
    gpu = compute.device != "cpu" and torch.cuda.is_available()
    return torch.device("cuda" if gpu else "cpu")


def arithmetic(compute: ComputeParameters) -> AbstractContextManager[object]:
    """Context in which matrix products have the chosen precision; weights, sums and optimiser state stay float32."""
    return torch.autocast(
        chosen_device(compute).type,
        torch.bfloat16,
        enabled=uses_bfloat16(compute),
        cache_enabled=False,
    )


def uses_bfloat16(compute: ComputeParameters) -> bool:
    """True if matrix products are in bfloat16 on this machine."""
    if compute.precision != "auto":
        return compute.precision == "bfloat16"
    if chosen_device(compute).type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


def worker_count(compute: ComputeParameters) -> int:
    """Number of processes that fit: one on a GPU, else the usable cores divided by `threads`."""
    if chosen_device(compute).type == "cuda":
        return 1
    return max(1, usable_cores() // compute.threads)
