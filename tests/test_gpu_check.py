"""The check of a GPU runs at toy size on the CPU, and says what fails and what it had no time for."""

from pathlib import Path

import msgspec
import pytest
import torch

from benchmarks.gpu import page
from benchmarks.gpu.__main__ import main as gpu_check
from benchmarks.gpu.records import Check, Record, StageRun
from benchmarks.gpu.smoke import STAGES
from benchmarks.gpu.speed import PROJECT, TRANSFORMERS
from lottery.errors import UserError


def test_every_part_runs_and_the_cpu_equals_itself(tmp_path: Path) -> None:
    gpu_check(out=tmp_path, toy=True)
    record = msgspec.json.decode((tmp_path / "gpu.json").read_bytes(), type=Record)
    assert record.failures == record.skipped == []
    assert {check.difference for check in record.checks} == {0}
    assert [stage.stage for stage in record.stages] == [*STAGES]
    assert [row.work for row in record.speeds] == [*PROJECT, *TRANSFORMERS]
    assert all(row.seconds > 0 for row in record.speeds)
    assert min(record.sharing[0].one_after_another, record.sharing[0].side_by_side) > 0
    assert (tmp_path / "gpu.md").read_text(encoding="utf-8") == page.text(record)


def test_without_time_the_page_says_what_is_missing(tmp_path: Path) -> None:
    gpu_check(out=tmp_path, minutes=0, toy=True)
    record = msgspec.json.decode((tmp_path / "gpu.json").read_bytes(), type=Record)
    assert record.skipped == ["equality", "stages", "speed", "sharing"]
    assert "No time was left for: equality, stages" in (tmp_path / "gpu.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("difference", "passed"), [(0.0, True), (0.2, False), (float("nan"), False)]
)
def test_a_difference_beyond_its_limit_fails(difference: float, passed: bool) -> None:
    check = Check(
        compared="logits", encoder="toy", precision="float32", difference=difference, limit=0.1
    )
    assert check.passed == passed


def test_failures_are_on_the_page() -> None:
    stage = StageRun(stage="prune", seconds=1.0, failure="error: no memory")
    text = page.text(Record(card="a card", stages=[stage]))
    assert "Failed: stage prune." in text
    assert "error: no memory" in text


def test_without_a_gpu_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="torch finds no GPU"):
        gpu_check(out=tmp_path)
    assert not [*tmp_path.iterdir()]
