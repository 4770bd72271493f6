"""The tickets that the default experiment keeps are artifacts, which `dvc artifacts get` finds by name."""

from itertools import product
from pathlib import Path

from ruamel.yaml import YAML

from lottery import params
from lottery.grid import GridParameters
from lottery.params import section
from lottery.tickets.methods import METHODS
from lottery.tickets.parameters import RetrainParameters
from tests.project import ROOT
from tests.workspace import Repository

ARTIFACTS = YAML(typ="safe").load(ROOT / "dvc.yaml")["artifacts"]


def test_every_ticket_that_the_default_experiment_keeps_is_an_artifact() -> None:
    tree = params.read(ROOT / "profiles" / "default.yaml")
    grid, retrain = section(GridParameters, tree), section(RetrainParameters, tree)
    kept = {
        f"{task}-{method}": f"tickets/{task}/{seed}/{share}/{method}"
        for task, seed, share, method in product(grid.tasks, retrain.kept, grid.shares, METHODS)
    }
    assert {name: artifact["path"] for name, artifact in ARTIFACTS.items()} == kept


def test_a_registered_version_of_an_artifact_can_be_got(tmp_path: Path) -> None:
    name, artifact = next(iter(ARTIFACTS.items()))
    repository = Repository(tmp_path / "toy")
    ticket = repository.root / artifact["path"]
    ticket.mkdir(parents=True)
    (ticket / "config.json").write_text("{}")
    YAML(typ="safe", pure=True).dump({"artifacts": ARTIFACTS}, repository.root / "dvc.yaml")
    repository.init()
    repository.run("dvc", "add", "-q", str(ticket.parent))
    repository.commit("a run")
    repository.run("gto", "register", name)
    repository.run("dvc", "artifacts", "get", str(repository.root), name, "-o", "got")
    assert (repository.root / "got" / "config.json").read_text() == "{}"
