"""Jobs have the same results in one process and in several, report progress, and fail together."""

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lottery.errors import UserError
from lottery.runtime.compute import chosen_device, uses_bfloat16
from lottery.runtime.parallel import run
from lottery.runtime.parameters import ComputeParameters


def square(progress: Callable[[int, int], None], number: int) -> int:
    progress(1, 1)
    return number**2


def fail(progress: Callable[[int, int], None]) -> int:
    raise UserError("the job failed")


def process_id(progress: Callable[[int, int], None]) -> int:
    return os.getpid()


def touch(progress: Callable[[int, int], None], path: Path) -> int:
    path.touch()
    return 1


def wait_for(progress: Callable[[int, int], None], path: Path) -> int:
    deadline = time.monotonic() + 100
    while not path.exists():
        assert time.monotonic() < deadline, f"no other process has made {path}"
        time.sleep(0.05)
    return 2


def out_of_range(progress: Callable[[int, int], None]) -> int:
    return list[int]().pop()


def fail_late(progress: Callable[[int, int], None]) -> int:
    time.sleep(2)
    raise UserError("the job failed")


def run_long(progress: Callable[[int, int], None]) -> int:
    """Report more progress than a pipe holds, then run for longer than the test may take."""
    for number in range(100_000):
        progress(number, 0)
    time.sleep(200)
    return 0


def wait(progress: Callable[[int, int], None]) -> int:
    time.sleep(1)
    return 4


def die(progress: Callable[[int, int], None]) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def ignore(job: str, done: int, total: int) -> None:
    """Report nothing."""


@pytest.fixture(params=[2])
def parallel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ComputeParameters:
    """Parameters under which jobs run in a fixed number of processes, whatever the machine."""
    monkeypatch.setattr("lottery.runtime.parallel.worker_count", lambda _: request.param)
    return compute()


def compute(**changes: Any) -> ComputeParameters:
    return ComputeParameters(
        **{"threads": 1, "alone": 1, "device": "cpu", "precision": "float32", **changes}
    )


@pytest.mark.parametrize("parallel", [1, 2], indirect=True)
def test_results_do_not_depend_on_the_number_of_processes(parallel: ComputeParameters) -> None:
    reports: list[tuple[str, int, int]] = []
    jobs = {str(number): partial(square, number=number) for number in range(4)}
    results = run(jobs, parallel, lambda *report: reports.append(report))
    assert results == {str(number): number**2 for number in range(4)}
    assert sorted(reports) == [(str(number), 1, 1) for number in range(4)]
    with pytest.raises(UserError, match="the job failed"):
        run({"good": partial(square, number=1), "bad": partial(fail)}, parallel, ignore)


def test_this_process_runs_the_first_job_and_others_help(parallel: ComputeParameters) -> None:
    results = run({"a": process_id, "b": process_id}, parallel, ignore)
    assert results["a"] == os.getpid() != results["b"]
    assert run({"a": process_id}, parallel, ignore) == {"a": os.getpid()}


def test_cores_that_become_free_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cores = iter([1, 1])
    monkeypatch.setattr("lottery.runtime.parallel.worker_count", lambda _: next(cores, 2))
    monkeypatch.setattr("lottery.runtime.parallel.INTERVAL", 0.01)
    here, there = (partial(job, path=tmp_path / "made") for job in (wait_for, touch))
    assert run({"here": here, "there": there}, compute(), ignore) == {"here": 2, "there": 1}


def test_a_failure_while_looking_for_cores_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    cores = iter([1])
    monkeypatch.setattr("lottery.runtime.parallel.worker_count", lambda _: next(cores))
    monkeypatch.setattr("lottery.runtime.parallel.INTERVAL", 0.01)
    with pytest.raises(StopIteration):
        run({"here": wait, "also here": wait}, compute(), ignore)


def test_an_index_error_of_a_job_is_an_error(parallel: ComputeParameters) -> None:
    with pytest.raises(IndexError):
        run({"a": process_id, "b": out_of_range}, parallel, ignore)


def test_a_killed_process_is_an_error_of_one_line(parallel: ComputeParameters) -> None:
    with pytest.raises(UserError, match="memory ran out"):
        run({"a": process_id, "b": die}, parallel, ignore)


def test_a_failure_ends_jobs_that_report_much(parallel: ComputeParameters) -> None:
    started = time.monotonic()
    with pytest.raises(UserError, match="the job failed"):
        run({"bad": fail_late, "busy": run_long}, parallel, ignore)
    with pytest.raises(UserError, match="the job failed"):
        run({"good": wait, "bad": fail, "busy": run_long}, parallel, ignore)
    assert time.monotonic() - started < 100


def test_a_missing_gpu_is_an_error_of_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match="use auto or cpu"):
        chosen_device(compute(device="cuda"))
    assert chosen_device(compute(device="auto")).type == "cpu"


def test_automatic_precision_is_bfloat16_where_the_processor_supports_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for supported in (True, False):
        capabilities = {"avx512_bf16": supported}
        monkeypatch.setattr("torch.cpu.get_capabilities", lambda known=capabilities: known)
        assert uses_bfloat16(compute(precision="auto")) == supported
    assert uses_bfloat16(compute(precision="bfloat16"))
    assert not uses_bfloat16(compute(precision="float32"))
