"""Device, precision and threads of the computation."""

import os
from contextlib import AbstractContextManager
from typing import Annotated, Literal

import torch
from msgspec import Meta

from lottery.errors import UserError
from lottery.params import Parameters

Threads = Annotated[int, Meta(ge=1, le=256)]


class ComputeParameters(Parameters, frozen=True):
    """threads: per process, where several jobs run in parallel; alone: of a job that runs alone. The number of
    threads changes the last bits of a result, the number of processes does not. device: `auto` uses a GPU if there
    is one. precision: of the matrix products in training, searching and evaluation; bfloat16 is faster where the
    hardware supports it and much slower where it does not; `auto` uses it where it is supported, so results differ
    in some digits between such machines and others."""

    threads: Threads
    alone: Threads
    device: Literal["auto", "cpu", "cuda"]
    precision: Literal["auto", "float32", "bfloat16"]

    @property
    def chosen(self) -> torch.device:
        """The device to use. Raises UserError if `cuda` is set and torch finds no GPU."""
        if self.device == "cuda" and not torch.cuda.is_available():
            raise UserError(
                "parameters: compute.device = 'cuda': torch finds no GPU; use auto or cpu"
            )
        gpu = self.device != "cpu" and torch.cuda.is_available()
        return torch.device("cuda" if gpu else "cpu")

    @property
    def arithmetic(self) -> AbstractContextManager[object]:
        """Context in which matrix products have `precision`; weights, sums and optimiser state stay float32."""
        return torch.autocast(
            self.chosen.type, torch.bfloat16, enabled=self.half, cache_enabled=False
        )

    @property
    def half(self) -> bool:
        """Whether matrix products are in bfloat16 on this machine."""
        if self.precision != "auto":
            return self.precision == "bfloat16"
        if self.chosen.type == "cuda":
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
        return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))

    @property
    def workers(self) -> int:
        """Number of parallel processes: one on a GPU, else the available cores divided by `threads`."""
        if self.chosen.type == "cuda":
            return 1
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return max(1, (cores or 1) // self.threads)
