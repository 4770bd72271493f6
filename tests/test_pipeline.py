"""The real pipeline through DVC at its smallest: what runs, what is reused, what comes out."""

import json
from pathlib import Path

import pandas as pd
import pytest

from lottery.schemas import Score
from lottery.tickets.methods import METHODS
from lottery.vocabulary import GOOD_AND_CONTROLS, MEASURED
from tests import toy_hub
from tests.programs import kills
from tests.workspace import ON_ONE_CORE, Workspace

pytestmark = pytest.mark.pipeline
TWO = {"tasks": ["sst2", "stsb"]}
"""A classification and a regression."""


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = Workspace(tmp_path_factory.mktemp("smoke"), "smoke", grid=TWO)
    made.run(*ON_ONE_CORE, "dvc", "repro")
    return made


@pytest.fixture(scope="module")
def speller(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The random encoder, where the point is what runs, not what it computes."""
    folder = tmp_path_factory.mktemp("encoder") / "speller"
    return {"checkpoint": str(toy_hub.speller(folder))}


@pytest.fixture(scope="module")
def single(speller: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The first task alone, with the random encoder."""
    made = Workspace(tmp_path_factory.mktemp("single"), "smoke", encoder=speller)
    made.run(*ON_ONE_CORE, "dvc", "repro")
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


def test_the_first_task_alone_keeps_its_models_and_runs_the_gathering(smoke: Workspace) -> None:
    models = smoke.digests("models/sst2")
    smoke.change(grid={"tasks": ["sst2"]})
    smoke.executed()
    smoke.run(*ON_ONE_CORE, "dvc", "repro")
    ran = smoke.executed()
    ran.pop("check", None)  # an earlier run of the tests may have left it in the cache
    assert ran == {"analyse": 1, "report": 1}
    assert smoke.digests("models/sst2") == models


def test_a_run_that_is_killed_on_its_way_ends_as_one_that_was_not(
    single: Workspace, speller: dict[str, str], tmp_path: Path
) -> None:
    killer = kills.Killer(4, seed=0, longest=16)
    work = kills.workspace(tmp_path / "killed", encoder=speller)
    kills.compare(kills.results(single), killer, work)
    assert killer.methods.total() == 4


def test_another_rate_keeps_every_fine_tuned_model(single: Workspace) -> None:
    models, before = single.digests("models"), single.digests("reports/tables")
    single.executed()
    single.run(*ON_ONE_CORE, "dvc", "exp", "run", "-S", "prune.rate=0.3", "--name", "wider-steps")
    ran = single.executed()
    assert (ran["finetune"], ran["prune"], ran["analyse"], ran["report"]) == (0, 1, 1, 1)
    assert single.digests("models") == models
    assert single.digests("reports/tables") != before
    assert "wider-steps" in single.run("dvc", "exp", "list", "--name-only")


def test_an_edit_reruns_what_reaches_it_by_import(single: Workspace) -> None:
    tables = single.digests("reports/tables")
    with (single.root / "lottery" / "report" / "sections" / "scores.py").open("a") as code:
        code.write("# edited\n")
    single.executed()
    single.run(*ON_ONE_CORE, "dvc", "repro")
    assert single.executed() == {"trace": 1, "report": 1}
    assert single.digests("reports/tables") == tables


def test_a_sweep_of_three_rates_ends_in_a_comparison(single: Workspace) -> None:
    """Two of the rates ran before, so that only one of them is run in full."""
    single.commit("the baseline")
    single.run("python", "-m", "tools.app", "sweep", "rate", "prune.rate=0.25,0.3,0.5")
    text = (single.root / "reports" / "experiments.md").read_text()
    assert all(f"rate-{number}" in text for number in (1, 2, 3))
    assert "`prune.rate`" in text
    assert {"`0.25`", "`0.3`", "`0.5`"} <= {
        cell.strip() for line in text.splitlines() for cell in line.split("|")
    }
    page = (single.root / "reports" / "experiments.html").read_text()
    assert "data:image/png;base64," in page


def test_another_seed_runs_its_own_cells_and_the_gathering(single: Workspace) -> None:
    single.change(grid={"seeds": [1337, 42]}, prune={"rate": 0.3})
    single.executed()
    single.run(*ON_ONE_CORE, "dvc", "repro")
    assert single.executed() == {
        "check": 1, "prepare": 1, "finetune": 1, "prune": 1, "retrain": 1, "super_survivors": 2, "attend": 1,
        "analyse": 1, "report": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prune": {"rate": -1}}, "prune.rate = -1"),
        ({"grid": {"tasks": ["sst3"]}}, "did you mean `sst2`"),
        ({"finetune": {"batch": "ten"}}, "finetune.batch = 'ten'"),
    ],
)
def test_a_wrong_parameter_stops_before_any_work_and_loses_nothing(
    single: Workspace, changes: dict[str, dict[str, object]], message: str
) -> None:
    before, held = single.digests("models"), (single.root / "params.yaml").read_text()
    single.executed()
    single.change(**changes)
    output = single.run("dvc", "repro", fails=True)
    (single.root / "params.yaml").write_text(held)
    assert message in output
    assert "Traceback" not in output
    assert not single.executed()
    assert single.digests("models") == before
