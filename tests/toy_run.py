"""A finished run of toy size: one task with two seeds, from fine-tuning to scores, made by the stages."""

import fcntl
import os
import shutil
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path

import pytest

from lottery import params
from lottery.data import examples
from lottery.grid import GridParameters
from lottery.model import checkpoint
from lottery.params import section
from lottery.runtime.parameters import ComputeParameters
from lottery.tickets import pruning
from lottery.verification.run import FinishedRun
from stages import finetune, prune, retrain, super_survivors
from tests import toys
from tests.project import ROOT

SEEDS = (1, 2)
CHANGES = {
    "[sst2]": "[rte]", "kept: [1337]": "kept: [1]", "draws: 1": "draws: 2",
    "threshold: 0.8": "threshold: 0.9", "learning_rate: 1.0e-4": "learning_rate: 3.0e-3", "epochs: 1": "epochs: 6",
    "reinitialised: {}": "reinitialised: {structured: [1], magnitude: [1]}",
}  # fmt: skip


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that all tests share, those of other workers too: copy it before changing anything."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (base / "finished_run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # whoever comes first makes it, others wait
        if not (base / "finished_run").exists():
            make(draft := tmp_path_factory.mktemp("draft"))
            draft.rename(base / "finished_run")
    return base / "finished_run"


@pytest.fixture
def copy(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, to be changed."""
    shutil.copytree(finished_run, tmp_path / "run")
    return tmp_path / "run"


def make(root: Path, seeds: Sequence[int] = SEEDS, workers: int = 1) -> None:
    """Run all stages whose outputs are verified, below `root`, with cells of `seeds` in their order."""
    checkpoint.save(toys.encoder(), root / "encoder")
    for seed in seeds:
        _data(root / "data" / "rte" / str(seed), seed)
    text = (ROOT / "profiles" / "smoke.yaml").read_text("utf-8")
    for old, new in CHANGES.items():
        text = text.replace(old, new)
    text = text.replace("[1337]", str(sorted(seeds)))
    (root / "params.yaml").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, chdir(root):
        # Starting a pool of processes takes longer than the work.
        patch.setattr("lottery.runtime.parallel.worker_count", lambda _: workers)
        _stages(Path("data/rte"), Path("encoder"), seeds)


def _data(folder: Path, seed: int) -> None:
    """Train and select of the seed's own, and dev, which all seeds share."""
    folder.mkdir(parents=True)
    # With these draws the models learn something, and no search keeps everything or nothing.
    draws = (("train", 160, 4 * seed), ("select", 30, 4 * seed + 1), ("dev", 40, 2))
    for split, size, draw in draws:
        examples.save(toys.sentences(size, draw), folder / f"{split}.safetensors")


def _stages(data: Path, encoder: Path, seeds: Sequence[int]) -> None:
    models = {seed: Path(f"models/rte/{seed}") for seed in seeds}
    tickets = {seed: Path(f"subnetworks/rte/{seed}") for seed in seeds}
    for seed, model in models.items():
        scores, predictions = Path(f"scores/rte/{seed}"), Path(f"predictions/rte/{seed}")
        finetune.main("rte", seed, data / str(seed), encoder, model)
        prune.main("rte", seed, data / str(seed), encoder, model, tickets[seed])
        outs = (scores / "1.parquet", predictions / "1.parquet", Path(f"tickets/rte/{seed}/1"))
        retrain.main("rte", seed, 1, data / str(seed), encoder, model, tickets[seed], *outs)
    for seed, model in models.items():
        tables = (
            Path(f"scores/rte/{seed}/super.parquet"),
            Path(f"predictions/rte/{seed}/super.parquet"),
        )
        super_survivors.main(
            "rte", seed, data / str(seed), encoder, model, tickets[seed].parent, *tables
        )


def run(root: Path) -> FinishedRun:
    """The finished run below `root`."""
    tree = params.read(root / "params.yaml")
    names = ("data", "encoder", "models", "subnetworks", "scores", "predictions", "tickets")
    folders = (root / name for name in names)
    return FinishedRun(
        section(GridParameters, tree),
        pruning.read_settings(tree),
        section(ComputeParameters, tree),
        *folders,
    )
