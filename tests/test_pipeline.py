"""The real pipeline through DVC at its smallest: what runs, what is reused, what comes out."""

import json
from pathlib import Path

import pandas as pd
import pytest

from lottery.schemas import Score
from lottery.tickets.methods import METHODS
from lottery.vocabulary import GOOD_AND_CONTROLS, MEASURED
from tests.programs import kills
from tests.workspace import Workspace

pytestmark = pytest.mark.pipeline
TWO = {"tasks": ["sst2", "stsb"]}
"""A classification and a regression."""


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = Workspace(tmp_path_factory.mktemp("smoke"), "smoke", grid=TWO)
    made.run("dvc", "repro")
    return made


def test_one_command_leads_from_the_download_to_the_report(smoke: Workspace) -> None:
    text = (smoke.root / "reports" / "report.md").read_text()
    assert "SST-2" in text
    assert "STS-B" in text
    pictures = [part.split(")")[0] for part in text.split("](figures/")[1:]]
    assert pictures
    assert all((smoke.root / "reports" / "figures" / name).stat().st_size for name in pictures)
    metrics = json.loads((smoke.root / "reports" / "metrics.json").read_text())
    assert {"full", "structured", "magnitude"} <= metrics.keys()


def test_every_cell_has_every_score_once(smoke: Workspace) -> None:
    for task in ("sst2", "stsb"):
        for seed in (1337,):
            scores = pd.read_parquet(smoke.root / "scores" / task / str(seed) / "1.parquet")
            assert list(scores) == list(Score.__struct_fields__)
            identity = ["method", "kind", "draw", "matched", "state", "split", "metric"]
            assert not scores.duplicated(identity).any()
            assert set(scores["task"]) == {task}
            assert set(scores["seed"]) == {seed}
            dev = scores[(scores["split"] == "dev") & (scores["state"] != "finetuned")]
            own_size = dev[dev["matched"].isna()]
            assert {*zip(own_size["method"], own_size["kind"], own_size["state"], strict=True)} == {
                (method, kind, state)
                for method in METHODS
                for kind in GOOD_AND_CONTROLS
                for state in MEASURED
            }


def test_a_second_run_does_nothing(smoke: Workspace) -> None:
    smoke.executed()
    smoke.run("dvc", "repro")
    assert not smoke.executed()


def test_a_run_that_is_killed_on_its_way_ends_as_one_that_was_not(
    smoke: Workspace, tmp_path: Path
) -> None:
    killer = kills.Killer(4, seed=0, longest=20)
    kills.compare(kills.results(smoke), killer, kills.workspace(tmp_path / "killed", grid=TWO))
    assert killer.methods.total() == 4


def test_another_rate_keeps_every_fine_tuned_model(smoke: Workspace) -> None:
    models, before = smoke.digests("models"), smoke.digests("reports/tables")
    smoke.executed()
    smoke.run("dvc", "exp", "run", "-S", "prune.rate=0.3", "--name", "wider-steps")
    ran = smoke.executed()
    assert (ran["finetune"], ran["prune"], ran["analyse"], ran["report"]) == (0, 2, 1, 1)
    assert smoke.digests("models") == models
    assert smoke.digests("reports/tables") != before
    assert "wider-steps" in smoke.run("dvc", "exp", "list", "--name-only")


def test_an_edit_reruns_what_reaches_it_by_import(smoke: Workspace) -> None:
    tables = smoke.digests("reports/tables")
    with (smoke.root / "lottery" / "report" / "sections" / "scores.py").open("a") as code:
        code.write("# edited\n")
    smoke.executed()
    smoke.run("dvc", "repro")
    assert smoke.executed() == {"trace": 1, "report": 1}
    assert smoke.digests("reports/tables") == tables


def test_a_sweep_of_three_rates_ends_in_a_comparison(smoke: Workspace) -> None:
    """Two of the rates ran before, so that only one of them is run in full."""
    smoke.commit("the baseline")
    smoke.run("python", "-m", "tools.app", "sweep", "rate", "prune.rate=0.25,0.3,0.5")
    text = (smoke.root / "reports" / "experiments.md").read_text()
    assert all(f"rate-{number}" in text for number in (1, 2, 3))
    assert "`prune.rate`" in text
    assert {"`0.25`", "`0.3`", "`0.5`"} <= {
        cell.strip() for line in text.splitlines() for cell in line.split("|")
    }
    page = (smoke.root / "reports" / "experiments.html").read_text()
    assert "data:image/png;base64," in page


def test_another_seed_runs_its_own_cells_and_the_gathering(smoke: Workspace) -> None:
    smoke.change(grid={"seeds": [1337, 42]}, prune={"rate": 0.3})
    smoke.executed()
    smoke.run("dvc", "repro")
    assert smoke.executed() == {
        "check": 1, "prepare": 2, "finetune": 2, "prune": 2, "retrain": 2, "super_survivors": 4, "attend": 2,
        "analyse": 1, "report": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prune": {"rate": -1}}, "prune.rate = -1"),
        ({"grid": {"tasks": ["sst3", "stsb"]}}, "did you mean `sst2`"),
        ({"finetune": {"batch": "ten"}}, "finetune.batch = 'ten'"),
    ],
)
def test_a_wrong_parameter_stops_before_any_work_and_loses_nothing(
    smoke: Workspace, changes: dict[str, dict[str, object]], message: str
) -> None:
    before, held = smoke.digests("models"), (smoke.root / "params.yaml").read_text()
    smoke.executed()
    smoke.change(**changes)
    output = smoke.run("dvc", "repro", fails=True)
    (smoke.root / "params.yaml").write_text(held)
    assert message in output
    assert "Traceback" not in output
    assert not smoke.executed()
    assert smoke.digests("models") == before
