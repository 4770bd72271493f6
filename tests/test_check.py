"""What a user gets wrong in params.yaml stops the first stage with one line, and leaves nothing behind."""

import os
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
GONE = object()


def changed(tree: Mapping[str, Any], place: str, value: Any) -> dict[str, Any]:
    """`tree` with `section.key`, or a whole section, set to a value or taken out."""
    section, _, key = place.partition(".")
    new: Any = {**tree[section], key: value} if key else value
    if key and value is GONE:
        del new[key]
    out = {**tree, section: new}
    if new is GONE:
        del out[section]
    return out


@pytest.fixture
def default() -> Mapping[str, Any]:
    return params.read(ROOT / "profiles" / "default.yaml")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(tree: Mapping[str, Any]) -> None:
    YAML(typ="safe", pure=True).dump(dict(tree), Path("params.yaml"))


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_every_profile_is_sound(here: Path, profile: Path) -> None:
    Path("params.yaml").write_bytes(profile.read_bytes())
    check.main(Path("data/checked.json"))
    assert Path("data/checked.json").read_text(encoding="utf-8") == "{}\n"


def test_params_yaml_is_sound() -> None:
    params.read_sections(SECTIONS, params.read(ROOT / "params.yaml"))


def test_the_pipeline_hands_every_section_to_the_check() -> None:
    assert set(stages()["check"]["params"]) == {kind.section() for kind in SECTIONS}


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        ("grid.tasks", ["sst2", "sts"], "unknown task `sts`; did you mean `stsb`"),
        ("grid.tasks", ["sst2", "cola"], "no package carries `cola`"),
        ("grid.tasks", ["sst2", "sst2"], "grid.tasks holds sst2 more than once"),
        ("grid.tasks", [], "grid.tasks = []"),
        ("grid.tasks", "sst2", "grid.tasks = 'sst2'"),
        ("grid.tasks", [7], "grid.tasks = [7]"),
        ("grid.seeds", [1, 42, 1], "grid.seeds holds 1 more than once"),
        ("grid.seeds", [], "grid.seeds = []"),
        ("grid.seeds", [-1], "grid.seeds = [-1]"),
        ("grid.seeds", [1.5], "grid.seeds = [1.5]"),
        ("grid.seeds", [2**32], "grid.seeds = [4294967296]"),
        ("grid.shares", [], "grid.shares = []"),
        ("grid.shares", [2, 1], "grid.shares = [2, 1]: not 1, 2"),
        ("grid.shares", [1, 2, 3, 4, 5, 6, 7], "a cell has 6 subnetworks"),
        ("grid", GONE, "the section `grid` is missing"),
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
        ("prune.rate", GONE, "the key prune.rate is missing"),
        ("prune.raet", 0.1, "unknown key prune.raet; did you mean `rate`"),
        ("prune.threshold", 1.5, "prune.threshold = 1.5: "),
        ("prune.data", "test", "prune.data = 'test': "),
        ("prune.floor", float("nan"), "prune.floor = nan"),
        ("magnitude.rate", 1.0, "magnitude.rate = 1.0: "),
        ("magnitude.until", float("nan"), "magnitude.until = nan"),
        ("importance.reduction", "mean", "importance.reduction = 'mean': "),
        ("controls.draws", 0, "controls.draws = 0: "),
        ("controls.bad", "worst", "controls.bad = 'worst': "),
        ("finetune.epochs", 0, "finetune.epochs = 0: "),
        ("finetune.learning_rate", float("inf"), "finetune.learning_rate = inf"),
        ("finetune.learning_rate", float("nan"), "finetune.learning_rate = nan"),
        ("compute.threads", 0, "compute.threads = 0: "),
        ("compute.device", "tpu", "compute.device = 'tpu': "),
    ],
    ids=lambda value: "gone" if value is GONE else str(value)[:30],
)
def test_a_wrong_parameter_is_one_line(
    here: Path, default: Mapping[str, Any], place: str, value: Any, told: str
) -> None:
    tree = dict(default) if "." in place else {**default, place: {}}
    write(changed(tree, place, value))
    with pytest.raises(UserError) as caught:
        check.main(Path("data/checked.json"))
    message = str(caught.value)
    assert told in message
    assert "\n" not in message
    assert not list(here.glob("data/*"))


def test_the_command_ends_with_one_line_and_no_traceback(
    here: Path, default: Mapping[str, Any]
) -> None:
    write(changed(default, "prune.rate", "ten"))
    command = [sys.executable, "-m", "stages.check", "data/checked.json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: parameters: prune.rate = 'ten'")
    assert ended.stderr.count("\n") == 1
