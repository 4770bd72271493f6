"""Public bug reports of others who did this: each has a test, and what no other module tests is tested here."""

import json
import re
from pathlib import Path

import pytest

from lottery.data import hub
from lottery.data.inspection import inspect
from lottery.errors import UserError
from lottery.tasks import get_task
from tests import toy_hub
from tests.project import ROOT

CHECKS = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(test_\w+)\.py::(test_\w+)`", CHECKS)


@pytest.mark.parametrize(("module", "test"), NAMED)
def test_the_tests_that_the_documentation_names_are_there(module: str, test: str) -> None:
    text = (ROOT / "tests" / f"{module}.py").read_text(encoding="utf-8")
    assert f"def {test}(" in text


def test_a_default_that_does_not_fit_is_blamed_on_config_json(tmp_path: Path) -> None:
    path = toy_hub.bert(tmp_path) / "config.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    del about["max_position_embeddings"]
    path.write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(UserError, match=r"\(64, 16\), not \(512, 16\) as config\.json and its"):
        inspect(tmp_path)


@pytest.mark.parametrize(("name", "task"), [("SST-2", "sst2"), ("STS-B", "stsb"), ("MNLI", "mnli")])
def test_names_as_glue_spells_them_are_recognised(name: str, task: str) -> None:
    with pytest.raises(UserError, match=f"unknown task `{name}`; did you mean `{task}`"):
        get_task(name)


def test_files_that_are_no_glue_are_named_by_their_folder(tmp_path: Path) -> None:
    (tmp_path / "mine" / "sst2").mkdir(parents=True)
    (tmp_path / "mine" / "sst2" / "train.tsv").write_text("sentence\tlabel\nfine\t1\n")
    with pytest.raises(UserError) as caught:
        hub.fetch_task("sst2", str(tmp_path / "mine"), tmp_path / "draft")
    assert str(tmp_path / "mine" / "sst2") in str(caught.value)
    assert "draft" not in str(caught.value)
