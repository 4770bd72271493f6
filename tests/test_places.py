"""Relative paths in parameters mean the same in the project and in the copies in which DVC runs experiments."""

from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from lottery import params
from lottery.attention.patterns import PATTERNS
from lottery.errors import UserError
from stages import check, encoder, fetch, recognise
from stages.shell import places
from tests import toy_hub
from tests.project import ROOT
from tests.workspace import Repository


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, its copy being the current folder."""
    (tmp_path / "project").mkdir()
    copy = tmp_path / "project" / ".dvc" / "tmp" / "exps" / "copy"
    copy.mkdir(parents=True)
    monkeypatch.chdir(copy)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "project"))
    return tmp_path / "project"


def test_what_the_copy_lacks_is_read_in_the_project(project: Path) -> None:
    (project / "mine").mkdir()
    (project / "rows.csv").touch()
    assert places.find("mine") == project / "mine"
    assert places.find("./rows.csv") == project / "rows.csv"
    assert places.find("neither") == Path("neither")
    assert places.find(str(project)) == project
    assert places.find("~/x") == Path.home() / "x"


def test_what_the_copy_has_belongs_to_the_experiment(project: Path) -> None:
    (project / "rows.csv").write_text("now")
    Path("rows.csv").write_text("then")
    assert places.find("rows.csv").read_text() == "then"


def test_a_folder_of_which_the_copy_has_a_part_is_refused(project: Path) -> None:
    (project / "mine").mkdir()
    (project / "mine" / "rows.csv").touch()
    (project / "mine" / ".hidden").touch()
    Path("mine").mkdir()
    with pytest.raises(UserError, match=r"^mine: this copy of the project lacks rows\.csv"):
        places.find("mine")
    Path("mine", "rows.csv").touch()
    assert places.find("mine") == Path("mine")


def test_paths_stay_as_they_are_in_the_project(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "mine").mkdir()
    monkeypatch.chdir(project)
    assert places.find("mine") == Path("mine")
    monkeypatch.delenv("DVC_ROOT")
    assert places.find("mine") == Path("mine")


def parameters(**changes: dict[str, object]) -> None:
    """The smallest experiment's parameters, with changes, in the current folder."""
    tree = {
        name: dict(keys) for name, keys in params.read(ROOT / "profiles" / "smoke.yaml").items()
    }
    for section, keys in changes.items():
        tree[section] |= keys
    YAML(typ="safe", pure=True).dump(tree, Path("params.yaml"))


def test_every_parameter_that_names_a_folder_is_found_from_a_copy(project: Path) -> None:
    toy_hub.glue(project / "glue", train=40, dev=16)
    toy_hub.bert(project / "bert")
    rows = [f"text {number},{number % 2}" for number in range(40)]
    (project / "rows.csv").write_text("\n".join(["text,stars", *rows]))
    maps = project / "maps"
    maps.mkdir()
    lines = ["file,pattern"]
    for number, name in enumerate((*PATTERNS, *PATTERNS)):
        np.save(maps / f"{number}.npy", np.full((8, 8), 1 / 8, np.float32))
        lines.append(f"{number}.npy,{name}")
    (maps / "labels.csv").write_text("\n".join(lines))
    mine = {"files": "rows.csv", "sentence": "text", "label": "stars", "classes": [0, 1]}
    parameters(
        grid={"tasks": ["sst2", "mine"]},
        encoder={"checkpoint": "bert"},
        data={"source": "glue", "tasks": {"mine": mine}},
        attention={"labelled": "maps", "epochs": 1},
    )
    check.main(Path("checked.json"), Path("tasks"))
    for task in ("sst2", "mine"):
        fetch.main(task, Path(task))
    encoder.main(Path("encoder"))
    recognise.main(Path("patterns"))
    assert list(Path("encoder").glob("*.safetensors"))
    assert Path("mine", "train.parquet").exists()
    assert Path("patterns", "told.parquet").exists()


@pytest.mark.pipeline
def test_an_experiment_in_a_temporary_folder_finds_untracked_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    repository = Repository(tmp_path / "it's (mine) [all]")
    repository.root.mkdir()
    monkeypatch.chdir(repository.root)
    mine = {"files": "rows.csv", "sentence": "text", "label": "stars", "classes": [0, 1]}
    parameters(grid={"tasks": ["mine"]}, data={"tasks": {"mine": mine}})
    stage = "{cmd: python -m stages.check checked.json tasks, params: [data, prune], outs: [checked.json, tasks]}"
    Path("dvc.yaml").write_text(f"stages:\n  check: {stage}\n")
    repository.init()
    repository.commit("start")
    Path("rows.csv").write_text("text,stars\na,0\nb,1\n")
    repository.run("dvc", "repro")
    said = repository.run("dvc", "exp", "run", "--temp", "-S", "prune.rate=0.3")
    assert "sections are valid" in said
