"""An invalid params.yaml stops the first stage with one line and no output."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from lottery import params
from lottery.errors import UserError
from stages import check
from stages.shell.sections import SECTIONS
from tests.project import ROOT, stages

PROFILES = sorted((ROOT / "profiles").glob("*.yaml"))
MISSING = object()


def changed(tree: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    """`tree` with `section.key`, or a whole section, set to a value or removed."""
    section, _, key = name.partition(".")
    keys: Any = {**tree[section], key: value} if key else value
    if key and value is MISSING:
        del keys[key]
    sections = {**tree, section: keys}
    if keys is MISSING:
        del sections[section]
    return sections


@pytest.fixture
def default() -> Mapping[str, Any]:
    return params.read(ROOT / "profiles" / "default.yaml")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(tree: Mapping[str, Any]) -> None:
    YAML(typ="safe", pure=True).dump(dict(tree), Path("params.yaml"))


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_every_profile_is_valid(folder: Path, profile: Path) -> None:
    shutil.copytree(ROOT / "profiles", "profiles")  # own.yaml names a file there
    Path("params.yaml").write_bytes(profile.read_bytes())
    check.main(Path("data/checked.json"), Path("data/tasks"))
    assert Path("data/checked.json").read_text(encoding="utf-8") == "{}\n"


def test_seeds_that_the_grid_lacks_are_said(
    folder: Path, default: Mapping[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    write(changed(changed(default, "retrain.kept", [11, 99]), "grid.tasks", ["sst2"]))
    check.main(Path("data/checked.json"), Path("data/tasks"))
    assert "retrain.kept: not in grid.seeds: 99" in "".join(capsys.readouterr())


def test_params_yaml_is_valid() -> None:
    params.read_sections(SECTIONS, params.read(ROOT / "params.yaml"))


def test_a_step_that_ends_at_the_last_sparsity_is_one(
    folder: Path, default: Mapping[str, Any]
) -> None:
    halves = changed(changed(default, "magnitude.rate", 0.5), "magnitude.until", 0.75)
    write(changed(changed(halves, "controls.matched", [0.75]), "grid.tasks", ["sst2"]))
    check.main(Path("data/checked.json"), Path("data/tasks"))


def test_check_depends_on_every_section() -> None:
    assert set(stages()["check"]["params"]) == {kind.section() for kind in SECTIONS}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("grid.tasks", ["sst2", "sts"], "unknown task `sts`; did you mean `stsb`"),
        ("grid.tasks", ["sst2", "cola"], "no package carries `cola`"),
        ("grid.tasks", ["sst2", "sst2"], "grid.tasks: sst2 given more than once"),
        ("grid.tasks", [], "grid.tasks = []"),
        ("grid.tasks", "sst2", "grid.tasks = 'sst2'"),
        ("grid.tasks", [7], "grid.tasks = [7]"),
        ("grid.seeds", [1, 42, 1], "grid.seeds: 1 given more than once"),
        ("grid.seeds", [], "grid.seeds = []"),
        ("grid.seeds", [-1], "grid.seeds = [-1]"),
        ("grid.seeds", [1.5], "grid.seeds = [1.5]"),
        ("grid.seeds", [2**32], "grid.seeds = [4294967296]"),
        ("grid.shares", [], "grid.shares = []"),
        ("grid.shares", [2, 1], "grid.shares = [2, 1]: expected 1, 2"),
        ("grid.shares", [*range(1, 200)], "199 shares, but a cell has only"),
        ("grid", MISSING, "the section `grid` is missing"),
        ("grids", {}, "unknown section `grids`; did you mean `grid`"),
        ("encoder.checkpoint", "", "encoder.checkpoint = ''"),
        ("data.source", "no/such/folder", "has no folder sst2"),
        ("data.train", 0, "data.train = 0"),
        ("data.max_length", 513, "data.max_length = 513"),
        ("prune.rate", 0, "prune.rate = 0: "),
        ("prune.rate", 1, "prune.rate = 1: "),
        ("prune.rate", -1, "prune.rate = -1: "),
        ("prune.rate", "ten", "prune.rate = 'ten': "),
        ("prune.rate", float("nan"), "prune.rate = nan"),
        ("prune.rate", MISSING, "the key prune.rate is missing"),
        ("prune.raet", 0.1, "unknown key prune.raet; did you mean `rate`"),
        ("prune.threshold", 1.5, "prune.threshold = 1.5: "),
        ("prune.data", "test", "prune.data = 'test': "),
        ("prune.floor", float("nan"), "prune.floor = nan"),
        ("magnitude.rate", 1.0, "magnitude.rate = 1.0: "),
        ("magnitude.until", float("nan"), "magnitude.until = nan"),
        ("importance.reduction", "mean", "importance.reduction = 'mean': "),
        ("importance.saliency", "obd", "importance.saliency = 'obd': expected one of gate, taylor"),
        ("importance.saliency", 7, "importance.saliency = 7: "),
        ("magnitude.saliency", "gate", "magnitude.saliency = 'gate': expected one of taylor"),
        ("prune.floor", "guessing", "prune.floor = 'guessing'"),
        ("prune.curve", True, "prune.curve = True"),
        ("prune.curve", 1.5, "prune.curve = 1.5"),
        ("prune.curve", 0.4, "controls.matched: 0.5, but prune.curve ends at 0.4"),
        (
            "prune.rate",
            0.9,
            "controls.matched: 0.5, but steps of 0.9 of the remaining weights that stop at magnitude.until = 0.8 end at"
            " a sparsity of 0",
        ),
        ("controls.random_draws", 0, "controls.random_draws = 0: "),
        ("controls.matched", [0.5, 0.5], "controls.matched = [0.5, 0.5]: a sparsity is repeated"),
        ("controls.matched", [0], "controls.matched = [0]"),
        ("controls.matched", [], "controls.matched = []"),
        ("retrain.draws", 10, "retrain.draws = 10: controls draws 9"),
        ("retrain.tickets", {"magnetic": {}}, "unknown method `magnetic`"),
        ("retrain.tickets", {"magnitude": {"worst": []}}, "retrain.tickets"),
        ("retrain.tickets", {"magnitude": {"bad": [-1]}}, "retrain.tickets"),
        ("retrain.reinitialised", {"structured": [-1]}, "retrain.reinitialised"),
        ("retrain.reinitialised", {"magnetic": []}, "unknown method `magnetic`"),
        ("controls.bad", "worst", "controls.bad = 'worst': "),
        ("finetune.epochs", 0, "finetune.epochs = 0: "),
        ("finetune.learning_rate", float("inf"), "finetune.learning_rate = inf"),
        ("finetune.learning_rate", float("nan"), "finetune.learning_rate = nan"),
        ("transfer.tasks", ["sst2", "rte"], "transfer.tasks: rte is not in grid.tasks"),
        ("connectivity.seeds", [14], "connectivity.seeds: 14 is not in grid.seeds"),
        (
            "connectivity.tasks",
            ["sst2"],
            "connectivity: tasks without seeds, or seeds without tasks",
        ),
        ("connectivity.kinds", ["bad", "bad"], "connectivity.kinds: bad, bad: a kind is repeated"),
        ("connectivity.kinds", ["worst"], "connectivity.kinds = ['worst']: "),
        ("connectivity.points", 2, "connectivity.points = 2: "),
        ("compute.threads", 0, "compute.threads = 0: "),
        ("compute.device", "tpu", "compute.device = 'tpu': "),
    ],
    ids=lambda value: "missing" if value is MISSING else str(value)[:30],
)
def test_an_invalid_parameter_is_one_line(
    folder: Path, default: Mapping[str, Any], name: str, value: Any, message: str
) -> None:
    tree = dict(default) if "." in name else {**default, name: {}}
    write(changed(tree, name, value))
    with pytest.raises(UserError) as caught:
        check.main(Path("data/checked.json"), Path("data/tasks"))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(folder.glob("data/*"))


def test_the_command_ends_with_one_line_and_no_traceback(
    folder: Path, default: Mapping[str, Any]
) -> None:
    write(changed(default, "prune.rate", "ten"))
    command = [sys.executable, "-m", "stages.check", "data/checked.json", "data/tasks"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 1
    assert result.stderr.startswith("error: parameters: prune.rate = 'ten'")
    assert result.stderr.count("\n") == 1
