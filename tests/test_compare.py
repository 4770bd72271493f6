"""The comparison and the plots of experiments that DVC has run and recorded."""

import json
import re
import shutil
import sys
from contextlib import chdir
from pathlib import Path

import pytest

import tools.compare
from cluster import refs
from lottery.errors import UserError
from lottery.wording import MINUS
from tests import toy_project
from tests.places import PLACES, clone, commit, git
from tests.project import ROOT
from tests.workspace import Repository

pytestmark = pytest.mark.pipeline
OUT = Path("reports", "experiments.md")


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return toy_project.project(tmp_path_factory.mktemp("toy"))


def lottery_compare(toy: Repository, *more: str, fails: bool = False) -> str:
    command = ("env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "tools.app", "compare")
    return toy.run(*command, *more, fails=fails)


def compare(toy: Repository, *more: str) -> str:
    lottery_compare(toy, *more)
    text = (toy.root / OUT).read_text(encoding="utf-8")
    page = (toy.root / OUT.with_suffix(".html")).read_text(encoding="utf-8")
    assert "Comparison of experiments</h1>" in page
    return text


def test_comparison_of_nothing_a_baseline_and_a_sweep(toy: Repository) -> None:
    assert "There is nothing to compare" in compare(toy)
    toy.run("dvc", "repro")
    toy.commit("baseline")
    assert "no experiment to compare it with yet" in compare(toy)
    for number, rate in enumerate((0.4, 0.1, 0.2), 1):
        toy.run(
            "dvc", "exp", "run", "--temp", "--name", f"rate-{number}", "-S", f"prune.rate={rate}"
        )
    commit, start = toy.run("git", "rev-parse", "HEAD", "HEAD^").split()
    toy.run("git", "update-ref", refs.experiment(commit, "empty"), start)
    text = compare(toy)
    rows = [line for line in text.splitlines() if line.startswith("| `rate-")]
    assert [line.split("`")[1] for line in rows[:3]] == ["rate-2", "rate-3", "rate-1"]
    assert "Left out, for want of results: `empty`." in text
    assert f"{MINUS}0.030 [{MINUS}0.030, {MINUS}0.030]" in rows[5]
    assert "closed → **reproduced**" in text
    reused = [line.split() for line in text.splitlines()[-3:]]
    assert [line[3] + line[7] for line in reused] == ["11", "10", "10"]
    assert (toy.root / "reports" / "experiments" / "curves.png").stat().st_size
    _plots(toy)


def _plots(toy: Repository) -> None:
    """DVC fills the plot templates with the tables of both revisions."""
    plots = json.loads(toy.run("dvc", "plots", "diff", "--json", "HEAD", "rate-1"))
    assert not plots.get("errors")
    assert set(plots["data"]) == {"trajectories", "surviving heads"}
    for [plot] in plots["data"].values():
        content = json.dumps(plot["content"])
        assert "<DVC_METRIC" not in content
        assert plot["revisions"] == ["HEAD", "rate-1"]


def test_experiments_run_in_any_way_are_compared(tmp_path: Path) -> None:
    """In a temporary folder, and in place; only the last changes the working tree."""
    toy = toy_project.project(tmp_path / "toy")
    toy.run("dvc", "repro")
    toy.commit("baseline")
    toy.run("dvc", "exp", "run", "--temp", "--name", "apart", "-S", "prune.rate=0.2")
    assert toy.run("git", "status", "--porcelain") == ""
    toy.run("dvc", "exp", "run", "--name", "here", "-S", "prune.rate=0.4")
    assert toy.run("git", "status", "--porcelain", "params.yaml") == " M params.yaml\n"
    text = compare(toy)
    for name, rate in {"apart": 0.2, "here": 0.4}.items():
        assert re.search(rf"^\| `{name}` +\| `\w+` +\| +`{rate}` +\|$", text, re.MULTILINE)


def recorded(root: Path) -> None:
    """What `lottery compare` reads of a finished run."""
    shutil.copytree(ROOT / "reports" / "tables", root / "reports" / "tables")
    for name in ("dvc.yaml", "dvc.lock"):
        (root / name).write_text("stages: {report: {cmd: none}}\n")
    (root / "params.yaml").write_text("prune: {rate: 0.1}\n")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("reports/tables/cells.csv", b""),
        ("reports/tables/cells.csv", b'<<<<<<< HEAD\n"'),
        ("dvc.lock", b"[]"),
        ("params.yaml", b"prune: {"),
    ],
)
def test_a_malformed_result_is_one_line(tmp_path: Path, file: str, content: bytes) -> None:
    def fill(root: Path) -> None:
        recorded(root)
        (root / file).write_bytes(content)

    with (
        chdir(clone(tmp_path / "at", fill)),
        pytest.raises(UserError, match=rf"^[^\n]*{re.escape(file)} of commit [^\n]* malformed"),
    ):
        tools.compare.main()


@pytest.mark.parametrize("place", PLACES)
def test_results_are_read_wherever_the_checkout_lies(tmp_path: Path, place: str) -> None:
    """From git alone; nothing that is committed elsewhere in a larger repository is taken for them."""
    project = PLACES[place](tmp_path / "at", recorded)
    start = git(project, "rev-parse", "HEAD").strip()
    parameters = project / "params.yaml"
    parameters.write_text(parameters.read_text().replace("0.1", "0.25"))
    git(project, "commit", "-q", "-a", "-m", "experiment")
    git(project, "update-ref", refs.experiment(start, "quicker"), "HEAD")
    git(project, "reset", "-q", "--hard", start)
    with chdir(project):
        tools.compare.main()
    text = (project / OUT).read_text(encoding="utf-8")
    assert re.search(r"^\| `quicker` +\| `\w+` +\| +`0.25` +\|$", text, re.MULTILINE)
    assert not git(project, "status", "--porcelain", "--untracked-files=no")


def test_experiments_of_another_version_are_passed_over(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "reports" / "tables", tmp_path / "reports" / "tables")
    (tmp_path / "dvc.lock").write_text("stages: {}\n")
    (tmp_path / "dvc.yaml").write_text("stages: {one: {cmd: x, matrix: {task: '${grid.tasks}'}}}\n")
    (tmp_path / "params.yaml").write_text("grid: {seeds: [1]}\n")
    commit(tmp_path)
    start = git(tmp_path, "rev-parse", "HEAD").strip()
    git(tmp_path, "update-ref", refs.experiment(start, "older"), "HEAD")
    with chdir(tmp_path):
        tools.compare.main()
    text = (tmp_path / OUT).read_text(encoding="utf-8")
    assert "Left out, for want of results: `older`." in text


def test_unknown_commit_is_one_line(toy: Repository) -> None:
    output = lottery_compare(toy, "--base", "nowhere", fails=True)
    assert "Traceback" not in output
    assert "error: nowhere" in output
