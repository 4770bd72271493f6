"""Where and how the numbers are computed: device, precision, threads."""

import os
from contextlib import AbstractContextManager
from typing import Annotated, Literal

import torch
from msgspec import Meta

from lottery.errors import UserError
from lottery.params import Parameters

Threads = Annotated[int, Meta(ge=1, le=256)]


class ComputeParameters(Parameters, frozen=True):
    """threads: of each process where several jobs run side by side; alone: of a job that runs alone. The
    number changes the last bits of a result, the number of processes does not. device: `auto` takes a GPU if
    one is there. precision: of the matrix products in training, searching and scoring; bfloat16 is faster
    where the device is made for it, and much slower where it is not; `auto` takes it where it is made for
    it, so that other machines find other digits."""

    threads: Threads
    alone: Threads
    device: Literal["auto", "cpu", "cuda"]
    precision: Literal["auto", "float32", "bfloat16"]

    @property
    def chosen(self) -> torch.device:
        """The device; a UserError where the GPU that was asked for is missing."""
        if self.device == "cuda" and not torch.cuda.is_available():
            raise UserError(
                "parameters: compute.device = 'cuda': torch sees no GPU; use auto or cpu"
            )
        gpu = self.device != "cpu" and torch.cuda.is_available()
        return torch.device("cuda" if gpu else "cpu")

    @property
    def arithmetic(self) -> AbstractContextManager[object]:
        """Where matrix products have the precision; weights, sums and the optimiser's state keep float32."""
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
        """How many processes fit: one on a GPU, else the cores this process may use over `threads`."""
        if self.chosen.type == "cuda":
            return 1
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return max(1, (cores or 1) // self.threads)
