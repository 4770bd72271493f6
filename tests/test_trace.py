"""Every stage depends on exactly the files that its program imports."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stages import trace
from stages.shell.imports import program, reach
from tests.project import ROOT, stages, tracked

LATE = (Path("lottery/tickets/structured.py"), Path("lottery/tickets/magnitude.py"))
"""Modules that the records of methods import when a search starts."""
MODULES = "import json, sys, stages.{}; print(json.dumps([*sys.modules]))"


def test_every_stage_depends_on_the_list_of_its_program_and_on_no_other_code() -> None:
    for name, stage in stages().items():
        code = {dep for dep in stage["deps"] if dep.startswith("data/code") or dep.endswith(".py")}
        programs = re.findall(r"python -m stages\.(\w+)", stage["cmd"])
        assert code == {f"data/code/{program}.txt" for program in programs if name != "trace"}


@pytest.mark.parametrize("name", ["prepare", "prune", "report"])
def test_a_program_is_what_python_imports_at_once_or_late(name: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", MODULES.format(name)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {module.replace(".", "/") for module in json.loads(result.stdout)}
    project = {str(path) for path in tracked() if path.parts[0] in {"lottery", "stages"}}
    imported = {name for path in loaded for name in (f"{path}.py", f"{path}/__init__.py")} & project
    files = set(program(Path("stages", f"{name}.py")))
    late = {str(file) for file in reach(*LATE)}
    assert imported <= files <= imported | late | packages(late)
    assert late <= files or name == "prepare"


def packages(names: set[str]) -> set[str]:
    return {f"{parent}/__init__.py" for name in names for parent in Path(name).parents[:-1]}


@pytest.mark.parametrize("name", ["analyse", "report"])
def test_tables_and_report_do_not_load_torch(name: str) -> None:
    command = [sys.executable, "-c", MODULES.format(name)]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not {"torch", "transformers", "datasets"} & set(json.loads(loaded))


def test_the_hashes_of_a_list_are_those_of_sha256sum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    trace.main(tmp_path / "code")
    lists = sorted((tmp_path / "code").iterdir())
    assert {path.stem for path in lists} >= {"finetune", "report", "super_survivors"}
    for path in lists:
        subprocess.run(["sha256sum", "--check", "--quiet", path], cwd=ROOT, check=True)


def test_marks_of_stages_are_those_that_the_house_rules_name_and_the_cluster_reads() -> None:
    rules, reader = (
        (ROOT / file).read_text(encoding="utf-8")
        for file in ("CONTRIBUTING.md", "cluster/pipeline.py")
    )
    marks = {mark for stage in stages().values() for mark in stage.get("meta", {})}
    assert marks == set(re.findall(r"`meta: \{(\w+): true\}`", rules))
    assert marks == set(re.findall(r'meta or \{\}\)\.get\("(\w+)"', reader))
