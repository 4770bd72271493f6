"""Equal parameters give equal bytes, whatever the place, the environment and the order of computation."""

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
from lottery.schemas import Prediction, Score
from stages import retrain
from tests import toys
from tests.project import ROOT
from tests.records import ToyExperiment
from tests.reports import reported
from tests.workspace import digests

MAKE = """\
from pathlib import Path
from tests import toy_run
from tests.reports import reported
from tests.test_determinism import EXPERIMENT
if __name__ == "__main__":
    toy_run.make(Path("run"), (2, 1), workers=2)
    reported(EXPERIMENT, Path("report"))
"""
ELSEWHERE = {
    "PYTHONPATH": str(ROOT), "TZ": "Pacific/Chatham", "LC_ALL": "C", "PYTHONHASHSEED": "2", "COLUMNS": "200",
    "HF_TOKEN": "hf_Secret", "AWS_SECRET_ACCESS_KEY": "hf_Secret",
}  # fmt: skip
EXPERIMENT = ToyExperiment(tasks=("mnli", "sst2"), seeds=(1, 2))
WITH_TIMES = re.compile(r"make\.py|/logs/|/report\.(md|html)$")


def results(root: Path) -> dict[str, str]:
    """Digests of all files without times in them, and the report up to its times."""
    report = (root / "report" / "reports" / "report.md").read_text(encoding="utf-8")
    files = {name: sha for name, sha in digests(root).items() if not WITH_TIMES.search(name)}
    return files | {"report.md": report.partition("\n## Provenance")[0]}


def test_results_depend_on_the_parameters_only(finished_run: Path, tmp_path: Path) -> None:
    """Not on folder, time zone, locale, hash seed, number of processes or order of cells; no secret is written.

    The run that all tests share is compared with one made by another process.
    """
    places = tmp_path / "here", tmp_path / "else where"
    shutil.copytree(finished_run, places[0] / "run")
    for place in places:
        (place / "report").mkdir(parents=True)
    reported(EXPERIMENT, places[0] / "report")
    (places[1] / "make.py").write_text(MAKE, encoding="utf-8")
    process = subprocess.run(
        [sys.executable, "make.py"],
        cwd=places[1],
        env=os.environ | ELSEWHERE,
        capture_output=True,
        text=True,
        check=True,
    )
    here, elsewhere = map(results, places)
    assert len(here) > 60
    assert here == elsewhere
    files = [path for path in places[1].rglob("*") if path.is_file()]
    assert "hf_Secret" not in process.stdout + process.stderr
    assert not [path for path in files if b"hf_Secret" in path.read_bytes()]


def test_scores_do_not_depend_on_the_number_of_shares(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(finished_run, tmp_path / "run")
    monkeypatch.chdir(tmp_path / "run")
    monkeypatch.setattr("lottery.runtime.parallel.worker_count", lambda _: 1)
    tree = params.read(Path("params.yaml"))
    tree["grid"]["shares"] = [1, 2, 3]
    YAML(typ="safe", pure=True).dump(tree, Path("params.yaml"))
    data, encoder = Path("data/rte/1"), Path("encoder")
    model, kept = Path("models/rte/1"), Path("subnetworks/rte/1")
    for share in (1, 2, 3):
        tables = Path(f"scores/{share}.parquet"), Path(f"predictions/{share}.parquet")
        tickets = Path(f"tickets/{share}")
        retrain.main("rte", 1, share, data, encoder, model, kept, *tables, tickets)
    for kind, folder in ((Score, Path("scores")), (Prediction, Path("predictions"))):
        together = records.read(kind, [folder / "rte/1/1.parquet"]).to_pylist()
        apart = [
            records.read(kind, [folder / f"{share}.parquet"]).to_pylist() for share in (1, 2, 3)
        ]
        assert all(apart)
        assert sorted(chain.from_iterable(apart), key=str) == sorted(together, key=str)


@pytest.mark.parametrize("threads", [2, 3])
def test_the_number_of_threads_changes_the_last_bits_at_most(threads: int) -> None:
    """Within 1e-5 of the largest logit, the tolerance that docs/checks.md states."""
    encoder, sentences = toys.encoder(), toys.sentences(200)
    single_NC = predict(encoder, sentences)
    torch.set_num_threads(threads)
    try:
        multiple_NC = predict(encoder, sentences)
    finally:
        torch.set_num_threads(1)
    assert abs(multiple_NC - single_NC).max() <= 1e-5 * abs(single_NC).max()
