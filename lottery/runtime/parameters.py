"""The parameter section of the machine, in a module that imports no torch."""

from typing import Annotated, Literal

from msgspec import Meta

from lottery.params import Parameters

Threads = Annotated[int, Meta(ge=1, le=256)]


class ComputeParameters(Parameters, frozen=True):
    """Threads, device and precision of the computation.

    threads: of each process where several jobs run side by side; alone: of a job that runs alone. The number of
    threads changes the last bits of a result, the number of processes does not. device: `auto` takes a GPU if there
    is one. precision: of the matrix products in training, searching and scoring; bfloat16 is faster on hardware that
    supports it and much slower elsewhere; `auto` takes it where it is supported, so results differ between machines.
    """

    threads: Threads
    alone: Threads
    device: Literal["auto", "cpu", "cuda"]
    precision: Literal["auto", "float32", "bfloat16"]
