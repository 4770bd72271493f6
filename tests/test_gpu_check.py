"""The check of a GPU runs at toy size on the CPU, and says what fails and what it had no time for."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
import torch

from benchmarks import files
from benchmarks.gpu import __main__ as check
from benchmarks.gpu import equality, meter, page, sharing, speed
from benchmarks.gpu.records import Check, Record, StageRun
from benchmarks.gpu.smoke import STAGES
from benchmarks.gpu.speed import PROJECT, TRANSFORMERS
from benchmarks.load import Load
from lottery.errors import UserError


def test_every_part_runs_and_the_cpu_equals_itself(tmp_path: Path) -> None:
    check.main(out=tmp_path, toy=True)
    record = msgspec.json.decode((tmp_path / "gpu.json").read_bytes(), type=Record)
    assert record.failures == record.skipped == []
    assert {row.difference for row in record.checks} == {0}
    assert [stage.stage for stage in record.stages] == [*STAGES]
    assert [row.work for row in record.speeds] == [*PROJECT, *TRANSFORMERS]
    assert all(row.seconds > 0 for row in record.speeds)
    assert min(record.sharing[0].one_after_another, record.sharing[0].side_by_side) > 0
    assert (tmp_path / "gpu.md").read_text(encoding="utf-8") == page.text(record)


def test_without_time_the_page_says_what_is_missing(tmp_path: Path) -> None:
    check.main(out=tmp_path, minutes=0, toy=True)
    record = msgspec.json.decode((tmp_path / "gpu.json").read_bytes(), type=Record)
    assert record.skipped[:2] == ["equality of toy in float32", "stages"]
    assert record.skipped[-1] == "2 trainings of toy side by side"
    said = (tmp_path / "gpu.md").read_text("utf-8")
    assert "No time was left for: equality of toy in float32, stages" in said


def test_results_at_toy_size_do_not_replace_those_of_a_card() -> None:
    assert files.target(None, toy=False) == Path("reports/benchmarks")
    assert files.target(None, toy=True) == Path("build/benchmarks/quick")
    assert files.target(Path("mine"), toy=True) == Path("mine")


def test_a_part_that_breaks_ends_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = StageRun(stage="prune", seconds=1.0)

    def breaks() -> Iterator[StageRun]:
        yield stage
        raise torch.OutOfMemoryError("tried to allocate 9 GiB\nof 8")

    def ends_late() -> Iterator[StageRun]:
        yield stage
        time.sleep(0.7)
        yield stage

    parts = {"breaks": breaks, "ends late": ends_late, "has no time": breaks}
    monkeypatch.setattr(check, "_toy", lambda _: parts)
    with pytest.raises(UserError, match="failed: breaks; see"):
        check.main(out=tmp_path, minutes=0.01, toy=True)
    record = msgspec.json.decode((tmp_path / "gpu.json").read_bytes(), type=Record)
    assert record.stages == [stage] * 3
    assert record.failed == {"breaks": "OutOfMemoryError: tried to allocate 9 GiB"}
    assert record.skipped == ["has no time"]
    assert "tried to allocate 9 GiB" in (tmp_path / "gpu.md").read_text("utf-8")


def test_a_search_that_ends_early_differs() -> None:
    masks = np.array([[255], [15], [1]], np.uint8)
    assert equality._differing(masks, masks) == 0
    assert equality._differing(masks[:1], masks) == 2 / 3
    assert equality._differing(masks, masks[:2]) == 1 / 3
    assert equality._differing(masks ^ 1, masks) == 1 / 8


def test_what_a_training_prints_besides_is_skipped() -> None:
    program = "print('a note\\na note, ready\\nanother'); import time; time.sleep(0.5)"
    with sharing._training([sys.executable, "-c", program]) as process:
        sharing._wait([process])
        with pytest.raises(sharing.ProcessError, match="exit code 0; its errors are on the term"):
            sharing._wait([process])


def test_the_watched_card_is_that_of_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/said\necho 40\necho 60\nexec sleep 9\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    card = SimpleNamespace(uuid="5ee4-01")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: card)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    with meter.utilisation(torch.device("cuda")) as used:
        time.sleep(0.3)
    assert used.percent == 50
    assert (tmp_path / "said").read_text() == "--id=GPU-5ee4-01\n"


@pytest.mark.parametrize(("work", "runs"), [("scoring", 3), ("m-search", 1)])
def test_the_first_run_is_not_watched(
    work: str, runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = list[str]()

    @contextmanager
    def utilisation(_: torch.device) -> Iterator[meter.Utilisation]:
        events.append("begin")
        yield meter.Utilisation()
        events.append("end")

    def act() -> dict[str, list[float]]:
        events.append("run")
        return {"scores": [0.0]}

    monkeypatch.setattr(meter, "utilisation", utilisation)
    monkeypatch.setitem(speed.PROJECT, work, lambda _: act)
    load, compute = Load(Path(), Path(), 1), check._compute("cpu", "float32")
    list(speed.measured(load, "toy", compute, "project", work, 3))
    assert events == ["run", "begin", *["run"] * runs, "end"]


@pytest.mark.parametrize(
    ("difference", "passed"), [(0.0, True), (0.2, False), (float("nan"), False)]
)
def test_a_difference_beyond_its_limit_fails(difference: float, passed: bool) -> None:
    row = Check(
        compared="logits", encoder="toy", precision="float32", difference=difference, limit=0.1
    )
    assert row.passed == passed


def test_failures_are_on_the_page() -> None:
    stage = StageRun(stage="prune", seconds=1.0, failure="error: no memory")
    text = page.text(Record(card="a card", stages=[stage]))
    assert "Failed: stage prune." in text
    assert "error: no memory" in text


def test_without_a_gpu_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="torch finds no GPU"):
        check.main(out=tmp_path)
    assert not [*tmp_path.iterdir()]
