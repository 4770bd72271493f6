"""The same parameters give the same bytes, wherever, whenever and in whatever order they are computed."""

import os
import re
import shutil
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
import torch
from ruamel.yaml import YAML

from lottery import params, records
from lottery.model.evaluation import predict
from lottery.schemas import Score
from stages import retrain
from tests import toys
from tests.project import ROOT
from tests.workspace import digests

MAKE = """\
from pathlib import Path
from tests import toy_run
from tests.records import ToyExperiment
from tests.reports import reported
if __name__ == "__main__":
    toy_run.make(Path("run"), {seeds}, {workers})
    reported(ToyExperiment(tasks=("mnli", "sst2"), seeds=(1, 2)), Path("report"))
"""
HERE = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1", "COLUMNS": "80"}
ELSEWHERE = {
    "TZ": "Pacific/Chatham", "LC_ALL": "C", "PYTHONHASHSEED": "2", "COLUMNS": "200", "HF_TOKEN": "hf_Secret",
    "AWS_SECRET_ACCESS_KEY": "hf_Secret",
}  # fmt: skip

TIMED = re.compile(r"make\.py|/logs/|/report\.(md|html)$")


def made(root: Path, environment: dict[str, str], seeds: tuple[int, ...], workers: int) -> str:
    """What is said while a run of toy size, and the report of made-up records, are made below `root`."""
    root.mkdir()
    (root / "make.py").write_text(MAKE.format(seeds=seeds, workers=workers), encoding="utf-8")
    (root / "report").mkdir()
    done = subprocess.run(
        [sys.executable, "make.py"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    said: str = done.stdout + done.stderr
    return said


def results(root: Path) -> dict[str, str]:
    """Digests of all files but those that tell times; of the report what stands before the times."""
    text = (root / "report" / "reports" / "report.md").read_text(encoding="utf-8")
    told = {name: found for name, found in digests(root).items() if not TIMED.search(name)}
    return told | {"report.md": text.partition("\n## Provenance\n")[0]}


def test_nothing_but_the_parameters_matters(tmp_path: Path) -> None:
    """Another place, time zone, locale, seed of hashes, number of processes and order of cells; secrets stay secret."""
    made(tmp_path / "here", HERE, (1, 2), workers=1)
    said = made(tmp_path / "else where", ELSEWHERE, (2, 1), workers=2)
    one, other = (results(tmp_path / place) for place in ("here", "else where"))
    assert len(one) > 60
    assert one == other
    files = [path for path in (tmp_path / "else where").rglob("*") if path.is_file()]
    assert "hf_Secret" not in said
    assert not [path for path in files if b"hf_Secret" in path.read_bytes()]


def test_no_score_depends_on_the_number_of_shares(
    honest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(honest, tmp_path / "run")
    monkeypatch.chdir(tmp_path / "run")
    monkeypatch.setattr("lottery.runtime.parallel.worker_count", lambda _: 1)
    tree = params.read(Path("params.yaml"))
    tree["grid"]["shares"] = [1, 2, 3]
    YAML(typ="safe", pure=True).dump(tree, Path("params.yaml"))
    data, encoder = Path("data/rte"), Path("encoder")
    model, kept = Path("models/rte/1"), Path("subnetworks/rte/1")
    dealt = [Path(f"dealt/{share}.parquet") for share in (1, 2, 3)]
    for share, out in enumerate(dealt, 1):
        retrain.main("rte", 1, share, data, encoder, model, kept, out)
    together = records.read(Score, [Path("scores/rte/1/1.parquet")]).to_pylist()
    apart = [records.read(Score, [out]).to_pylist() for out in dealt]
    assert all(apart)
    assert sorted(chain.from_iterable(apart), key=str) == sorted(together, key=str)


@pytest.mark.parametrize("threads", [2, 3])
def test_more_threads_change_the_last_bits_at_most(threads: int) -> None:
    """Within 1e-5 of the largest logit, the tolerance that CHECKS.md states."""
    encoder, sentences = toys.encoder(), toys.sentences(200)
    alone = predict(encoder, sentences)
    torch.set_num_threads(threads)
    try:
        together = predict(encoder, sentences)
    finally:
        torch.set_num_threads(1)
    assert abs(together - alone).max() <= 1e-5 * abs(alone).max()
