"""The benchmarks run: rows of times and memory, and one line for what is wrong or dies."""

import subprocess
import sys
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
import pytest
import torch
from typer import Typer
from typer.testing import CliRunner

from benchmarks import gemm, hardware, memory, page
from benchmarks.__main__ import main as bench
from benchmarks.encoders import Encoders
from benchmarks.load import TASK
from benchmarks.memory import MARKS, MemoryRow
from benchmarks.rows import Row
from benchmarks.targets import Target
from lottery.errors import UserError
from lottery.model import checkpoint
from lottery.model.batch import PackedBatch
from tests.project import ROOT


def test_the_bench_runs_end_to_end() -> None:
    command = [sys.executable, "-m", "benchmarks", "--quick", "--rounds", "1", "--again"]
    subprocess.run([*command, "--work", "scoring"], cwd=ROOT, check=True, capture_output=True)
    written = (ROOT / "build/benchmarks/quick/latest.json").read_bytes()
    table = [row for row in msgspec.json.decode(written, type=list[Row]) if row.work == "scoring"]
    assert {"reference", "transformers"} <= {row.baseline for row in table}
    for row in table:
        assert row.difference is not None
        assert row.difference < 1e-5
        assert row.ratio_min <= row.ratio_median <= row.ratio_max
        assert row.peak_memory_mib > 0
        assert row.baseline in page.text(table)


def test_works_are_counted_and_stay_below_the_fastest_product(tmp_path: Path) -> None:
    encoders = Encoders(tmp_path / "no assets", tmp_path / "no sentences", tmp_path)
    peaks = hardware.measured(encoders, ["toy"], quick=True)
    assert {row.work for row in peaks.reached} == {*hardware.WORKS}
    assert all(0 < row.fraction < 1 for row in peaks.reached)
    assert "| toy | scoring | float32 |" in page.text([], peaks=peaks)


def test_operations_are_those_of_the_formula(tmp_path: Path) -> None:
    """Of a pass without padding: sentences of one length."""
    folder = Encoders(tmp_path, tmp_path, tmp_path).toy()
    encoder, lengths = checkpoint.load(folder, 2).eval(), np.full(3, 7)
    batch = PackedBatch.pack(np.ones(21, np.int32), np.zeros(21, np.int8), lengths)
    with torch.inference_mode(), hardware.Operations() as operations:
        encoder(batch)
    classifier = 2 * len(lengths) * encoder.config.hidden_size * TASK.classes
    assert operations.total == gemm.operations(encoder.config, lengths) + classifier


def test_an_unknown_work_or_encoder_is_refused() -> None:
    with pytest.raises(UserError, match="no work 'knitting'; choose from importance"):
        bench(work=["knitting"])
    with pytest.raises(UserError, match="no encoder 'large'; choose from minilm, base"):
        bench(encoder=["large"])


def test_memory_is_read_at_every_mark_up_to_the_last_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "PRECISIONS", ("float32",))
    encoders = Encoders(tmp_path / "no assets", tmp_path / "no sentences", tmp_path)
    rows = list(memory.measured(encoders, ["toy"], 120))
    assert [(row.work, len(row.mib), row.failure) for row in rows] == [
        ("training", 2, None),
        ("scoring", 2, None),
    ]
    for row in rows:
        assert row.growth == row.mib[1] / row.mib[0]
        assert row.verdict == ("reached" if row.growth <= memory.MOST else "missed")


@pytest.fixture
def one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryRow:
    """Rows of the work memory, measured in a folder without git or data."""
    row = MemoryRow(encoder="base", work="scoring", precision="float32", mib=(640.0, 650.0))
    monkeypatch.setattr(memory, "measured", lambda *_: [row])
    monkeypatch.chdir(tmp_path)
    return row


@pytest.mark.usefixtures("one_row")
def test_one_reading_is_no_verdict() -> None:
    row = MemoryRow(encoder="base", work="scoring", precision="float32", mib=(640.5,))
    assert row.verdict == "not measured: memory was read once at most"
    app = Typer()
    app.command()(bench)
    refused = CliRunner().invoke(app, ["--work", "memory", "--steps", str(MARKS[1] - 1)])
    assert refused.exit_code == 2
    assert "--steps" in refused.output


def test_only_memory_needs_no_data(one_row: MemoryRow) -> None:
    bench(work=["memory"])
    written = Path("reports/benchmarks/memory.json").read_bytes()
    assert msgspec.json.decode(written, type=list[MemoryRow]) == [one_row]
    with pytest.raises(UserError, match="DVC needs a git repository"):
        bench(work=["memory", "scoring"])
    recipe = subprocess.run(
        ["make", "--dry-run", "bench"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "-m benchmarks" in recipe.stdout
    assert "dvc repro" not in recipe.stdout


@pytest.mark.usefixtures("one_row")
def test_results_appear_whole() -> None:
    bench(work=["memory"])
    folder = Path("reports/benchmarks")
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == ["benchmarks.md", "latest.json", "memory.json"]
    for file in files:
        file.with_suffix(".old").hardlink_to(file)
    bench(work=["memory"])
    # What is written in place changes under all its names.
    assert not any(file.samefile(file.with_suffix(".old")) for file in files)


def test_an_encoder_appears_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(_: object, folder: Path) -> None:
        folder.mkdir()
        (folder / "config.json").touch()
        raise KeyboardInterrupt

    encoders = Encoders(tmp_path, tmp_path, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            encoders.toy()
    assert checkpoint.load(encoders.toy(), 2).config.num_hidden_layers == 3


@pytest.mark.parametrize(
    ("program", "failure"),
    [
        ("os.kill(os.getpid(), 9)", "killed by signal 9; 9 is often the kernel's, out of memory"),
        ("raise ValueError('no room')", "ValueError: no room"),
    ],
)
def test_a_process_that_dies_is_a_row_with_one_line(program: str, failure: str) -> None:
    mib, said = memory._run(
        [sys.executable, "-c", f"import os; print(640.5, flush=True); {program}"]
    )
    assert (mib, said) == ((640.5,), failure)
    row = MemoryRow(encoder="base", work="scoring", precision="float32", mib=mib, failure=said)
    cells = page.memory_cells(row)
    assert cells[3:] == ("640", *[""] * (len(MARKS) - 1), "", failure)


def test_rows_of_another_version_are_refused_before_anything_is_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (old := tmp_path / "out" / "latest.json").parent.mkdir()
    old.write_text('[{"work": "scoring"}]')
    with pytest.raises(UserError, match=r"latest\.json: not rows of this version .*; delete it"):
        bench(work=["scoring"], quick=True, out=old.parent)


@pytest.mark.parametrize(("at_most", "worst"), [(False, 0.6), (True, 0.9)])
def test_the_worst_row_counts(one_row: MemoryRow, at_most: bool, worst: float) -> None:
    target = Target(
        "any", 1, at_most, lambda _: True, lambda row: cast(MemoryRow, row).mib[0] / 1000
    )
    rows = [msgspec.structs.replace(one_row, mib=(mib,)) for mib in (700.0, 600.0, 900.0)]
    row = target.row(cast(list[Row], rows))
    assert row is not None
    assert target.value(row) == worst
