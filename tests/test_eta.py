"""Progress of the pipeline, against DVC's own list of cells and a log of durations."""

import subprocess
import sys
from pathlib import Path

import pytest

from lottery import params
from lottery.errors import UserError
from stages.shell import eta
from tests.project import ROOT


def test_cells_equal_those_of_dvc_in_order() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "dvc", "stage", "list", "--name-only"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    cells = eta.jobs(ROOT / "dvc.yaml", params.read(ROOT / "params.yaml"))
    assert listed.stdout.split() == cells


def test_progress_has_the_cells_number_and_the_remaining_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("grid: {tasks: [a, b], seeds: [1, 2]}")
    Path("dvc.yaml").write_text(
        "stages: {one: {cmd: x}, two: {cmd: x, matrix: {task: '${grid.tasks}', seed: '${grid.seeds}'}}}"
    )
    log = Path("log")

    def progress(running: str) -> str | None:
        monkeypatch.setenv("DVC_STAGE", running)
        return eta.here(Path("params.yaml"), log)

    assert progress("two@a-2") == "job 3 of 5"
    assert progress("two@c-2") is None
    assert progress("") is None
    log.write_text(
        '{"stage": "two", "cell": "a seed 1", "name": "two@a-1", "seconds": 100}\n'
        '{"stage": "two", "cell": "a seed 2", "name": "two@a-2", "seconds": 140}\n'
        '{"stage": "two", "cell": "b se'
    )
    assert progress("two@b-1") == "job 4 of 5, about 4 min left"
    assert progress("one") == "job 1 of 5, more than 8 min left"
    monkeypatch.setenv(eta.SIDES, "2")
    assert progress("two@b-1") == "job 4 of 5, about 2 min left"


@pytest.mark.parametrize("text", ["{}", "grid:", "grid: {seeds: [1]}"])
def test_parameters_of_another_version_are_told_from_a_damaged_pipeline(
    tmp_path: Path, text: str
) -> None:
    pipeline, parameters = tmp_path / "dvc.yaml", tmp_path / "params.yaml"
    parameters.write_text(text)
    pipeline.write_text("stages: {one: {cmd: x, matrix: {task: '${grid.tasks}'}}}")
    with pytest.raises(eta.OtherParametersError, match=r"parameters: no grid\.tasks"):
        eta.jobs(pipeline, params.read(parameters))
    pipeline.write_text("stages: 3")
    with pytest.raises(UserError, match=r"dvc.yaml: no pipeline"):
        eta.jobs(pipeline, params.read(parameters))


def test_a_stage_outside_dvc_has_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DVC_STAGE", raising=False)
    assert eta.here(Path("missing.yaml"), Path("missing.log")) is None
