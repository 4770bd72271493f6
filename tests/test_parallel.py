"""Jobs give the same results in this process and in others, tell how far they are, and fail together."""

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from typing import Literal

import pytest

from lottery.errors import UserError
from lottery.runtime.compute import chosen_device, uses_bfloat16
from lottery.runtime.parallel import run
from lottery.runtime.parameters import ComputeParameters

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "float32", "bfloat16"]


def square(progress: Callable[[int, int], None], number: int) -> int:
    progress(1, 1)
    return number**2


def fail(progress: Callable[[int, int], None]) -> int:
    raise UserError("this cell cannot be")


def where(progress: Callable[[int, int], None]) -> int:
    return os.getpid()


def late(progress: Callable[[int, int], None], fails: bool = False) -> int:
    """Tell more than a pipe holds; then fail, or go on for as long as nobody waits."""
    if fails:
        time.sleep(2)
        raise UserError("this cell cannot be")
    for number in range(100_000):
        progress(number, 0)
    time.sleep(200)
    return 0


def waits(progress: Callable[[int, int], None]) -> int:
    time.sleep(1)
    return 4


def die(progress: Callable[[int, int], None]) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


class Cores(ComputeParameters, frozen=True):
    """As many processes as asked, whatever the machine."""

    processes: int

    @property
    def workers(self) -> int:
        return self.processes


@pytest.mark.parametrize("processes", [1, 2])
def test_results_do_not_depend_on_the_processes(processes: int) -> None:
    compute = Cores(threads=1, alone=1, device="cpu", precision="float32", processes=processes)
    told: list[tuple[str, int, int]] = []
    jobs = {str(number): partial(square, number=number) for number in range(4)}
    assert run(jobs, compute, lambda *at: told.append(at)) == {str(n): n**2 for n in range(4)}
    assert sorted(told) == [(str(number), 1, 1) for number in range(4)]
    with pytest.raises(UserError, match="cannot be"):
        run({"good": partial(square, number=1), "bad": partial(fail)}, compute, lambda *at: None)


def test_this_process_does_the_first_job_and_others_help() -> None:
    compute = Cores(threads=1, alone=1, device="cpu", precision="float32", processes=2)
    places = run({"a": where, "b": where}, compute, lambda *at: None)
    assert places["a"] == os.getpid() != places["b"]
    assert run({"a": where}, compute, lambda *at: None) == {"a": os.getpid()}


def test_a_process_that_is_killed_is_a_fault() -> None:
    compute = Cores(threads=1, alone=1, device="cpu", precision="float32", processes=2)
    with pytest.raises(UserError, match="want of memory"):
        run({"a": where, "b": die}, compute, lambda *at: None)


def test_a_failure_ends_jobs_that_have_much_to_tell() -> None:
    compute = Cores(threads=1, alone=1, device="cpu", precision="float32", processes=2)
    began = time.monotonic()
    with pytest.raises(UserError, match="cannot be"):
        run({"bad": partial(late, fails=True), "busy": partial(late)}, compute, lambda *at: None)
    with pytest.raises(UserError, match="cannot be"):
        run(
            {"good": partial(waits), "bad": partial(fail), "busy": partial(late)},
            compute,
            lambda *at: None,
        )
    assert time.monotonic() - began < 100


def compute_on(device: Device, precision: Precision) -> ComputeParameters:
    return ComputeParameters(threads=1, alone=1, device=device, precision=precision)


def test_missing_gpu_raises_only_where_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match="use auto or cpu"):
        chosen_device(compute_on("cuda", "float32"))
    assert chosen_device(compute_on("auto", "float32")).type == "cpu"


def test_auto_precision_is_bfloat16_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for has in (True, False):
        monkeypatch.setattr("torch.cpu.get_capabilities", lambda has=has: {"avx512_bf16": has})
        assert uses_bfloat16(compute_on("cpu", "auto")) == has
    assert uses_bfloat16(compute_on("cpu", "bfloat16"))
    assert not uses_bfloat16(compute_on("cpu", "float32"))
