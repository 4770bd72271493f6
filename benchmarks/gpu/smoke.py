"""The stages that compute, run by their scripts on made-up sentences, without DVC."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.gpu.records import StageRun
from lottery.data import examples
from lottery.data.examples import Examples

ROOT = Path(__file__).resolve().parents[2]
SPLITS = ("train", "select", "dev")
CELL = ("sst2", "1337")
DATA, ENCODER, MODEL = "data/sst2/1337", "encoder", "models/sst2/1337"
TICKETS, TABLES = "subnetworks/sst2", ("scores/sst2/1337", "predictions/sst2/1337")
STAGES = {
    "finetune": (*CELL, DATA, ENCODER, MODEL),
    "prune": (*CELL, DATA, ENCODER, MODEL, f"{TICKETS}/1337"),
    "retrain": (
        *(*CELL, "1", DATA, ENCODER, MODEL, f"{TICKETS}/1337"),
        *(f"{table}/1.parquet" for table in TABLES),
        "tickets/sst2/1337/1",
    ),
    "super_survivors": (
        *(*CELL, DATA, ENCODER, MODEL, TICKETS),
        *(f"{table}/super.parquet" for table in TABLES),
    ),
}
"""Arguments of the stages, as in dvc.yaml."""


def run(folder: Path, encoder: Path, sentences: Examples, device: str) -> Iterator[StageRun]:
    """Run each stage with the parameters of the profile `smoke`; after a failure, none of those that need it."""
    profile = (ROOT / "profiles" / "smoke.yaml").read_text(encoding="utf-8")
    (folder / DATA).mkdir(parents=True)
    (folder / "params.yaml").write_text(
        profile.replace("device: auto", f"device: {device}"), encoding="utf-8"
    )
    (folder / ENCODER).symlink_to(encoder.resolve())
    for split in SPLITS:
        examples.save(replace(sentences, split=split), folder / DATA / f"{split}.safetensors")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for stage, arguments in STAGES.items():
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", f"stages.{stage}", *arguments],
            cwd=folder,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
        failure = (done.stderr.splitlines() or [str(done.returncode)])[-1]
        taken = time.perf_counter() - start
        yield StageRun(stage=stage, seconds=taken, failure=failure if done.returncode else None)
        if done.returncode:
            return
