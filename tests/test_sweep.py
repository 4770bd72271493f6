"""Sweeps end, whatever dies: each value is an experiment, a failed one is named, and a killed sweep goes on."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from cluster import sweep
from cluster.sweep import Experiment, combinations
from lottery.errors import UserError
from tests.project import ROOT
from tests.toy import LONG, until
from tests.workspace import Repository

PIPELINE = """\
stages:
  first:
    cmd: python work.py first first.txt
    deps: [work.py]
    params: [a]
    outs: [first.txt]
  second:
    cmd: python work.py second second.json
    deps: [work.py, first.txt]
    params: [b]
    metrics: [{second.json: {cache: false}}]
"""
WORK = """\
import json, os, pathlib, re, sys, time
from stages.shell import shutdown
shutdown.prepare()
beside, (stage, out) = pathlib.Path({beside!r}), sys.argv[1:]
found = re.findall(r"^([ab]): (.*)$", pathlib.Path("params.yaml").read_text(), re.M)
values = {{key: json.loads(value) for key, value in found}}
(beside / "partial").write_text(os.environ.get("LOTTERY_PARTIAL", ""))
with (beside / "ran").open("a") as file:
    file.write(f"{{stage}} {{values['a']}} {{values['b']}}\\n")
mark = beside / f"hang {{stage}} {{values['b']}}"
if mark.exists():
    mark.unlink()
    (beside / "hung").write_text(str(os.getpid()))
    time.sleep(600)
if stage == "second" and values["b"] == 13:
    sys.exit("13 is bad")
pathlib.Path(out).write_text(json.dumps(values))
"""
COMPUTE = "compute: {threads: 1, alone: 1, device: cpu, precision: float32}\n"


class Swept(Repository):
    """A pipeline of two stages with the parameters a and b, in a folder that a shell must quote."""

    def __init__(self, beside: Path, monkeypatch: pytest.MonkeyPatch, inside: str = "") -> None:
        self.beside, self.repository = beside, beside / "it's (a) [sweep] ü"
        super().__init__(self.repository / inside)
        self.root.mkdir(parents=True)
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        (self.root / "dvc.yaml").write_text(PIPELINE)
        (self.root / "work.py").write_text(WORK.format(beside=str(beside)))
        (self.root / "params.yaml").write_text(f"a: 1\nb: 2\n{COMPUTE}")
        Repository(self.repository).run("git", "init", "-q")
        self.init_dvc()
        (self.root / ".gitignore").write_text("/first.txt\n/partial/\n/logs/\n")
        self.commit("start")

    def sweep(self, *grid: str, fails: bool = False) -> str:
        """Output of `lottery sweep it GRID...`."""
        return self.run("python", "-m", "tools.app", "sweep", "it", *grid, fails=fails)

    def ran(self) -> list[str]:
        return (self.beside / "ran").read_text().splitlines()

    def values(self, name: str) -> object:
        """The record of an experiment."""
        ref = self.run(
            "git", "for-each-ref", "--format=%(refname)", f"refs/exps/*/*/{name}"
        ).strip()
        prefix = self.run("git", "rev-parse", "--show-prefix").strip()
        return json.loads(self.run("git", "show", f"{ref}:{prefix}second.json"))


@pytest.fixture
def swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Swept:
    return Swept(tmp_path, monkeypatch)


def test_parameters_span_a_grid_and_what_is_done_is_skipped(swept: Swept) -> None:
    (swept.root / "params.yaml").write_text(f"a: 5\nb: 2\n{COMPUTE}")
    status = swept.run("git", "status", "--porcelain", "--untracked-files=no")
    said = swept.sweep("a=3,4", "b=6,7")
    assert "4 ran, 0 were done before, 0 failed" in said
    assert [swept.values(f"it-{number}") for number in (1, 2, 3, 4)] == [
        {"a": a, "b": b} for a in (3, 4) for b in (6, 7)
    ]
    assert sorted(swept.ran()) == sorted(
        [f"first {a} 6" for a in (3, 4)] + [f"second {a} {b}" for a in (3, 4) for b in (6, 7)]
    )
    assert swept.run("git", "status", "--porcelain", "--untracked-files=no") == status
    assert not (swept.root / ".dvc" / "tmp" / "sweep").exists()
    names = swept.run("dvc", "exp", "list", "--name-only").split()
    assert sorted(names) == ["it-1", "it-2", "it-3", "it-4"]
    assert "0 ran, 4 were done before" in swept.sweep("a=3,4", "b=6,7")
    assert "error: it-1: there already, with other parameters or code" in swept.sweep(
        "b=8,9", fails=True
    ).replace("it-1 and it-2", "it-1")
    swept.run("dvc", "exp", "apply", "it-4")
    assert json.loads((swept.root / "second.json").read_text()) == {"a": 4, "b": 7}


def test_a_failed_value_is_named_and_the_others_are_done(swept: Swept) -> None:
    said = swept.sweep("b=13,2,3", fails=True)
    assert said.splitlines()[-1] == "error: failed, see above: it-1 (b=13); the others are done"
    assert "Traceback" not in said
    assert [swept.values(name) for name in ("it-2", "it-3")] == [{"a": 1, "b": b} for b in (2, 3)]
    assert swept.ran().count("second 1 13") == 2
    said = swept.sweep("b=13", fails=True)
    assert said.splitlines()[-1] == "error: failed, see above: it-1 (b=13)"


def test_what_is_killed_runs_again(swept: Swept) -> None:
    victims = {3: "stage", 4: "job", 5: "experiment"}
    for value in victims:
        (swept.beside / f"hang second {value}").touch()
    with swept.start("python", "-m", "tools.app", "sweep", "it", "b=3,4,5") as process:
        for victim in victims.values():
            kill(swept, process.pid, victim)
        assert process.wait(LONG) == 0, swept.said()
    assert [swept.values(f"it-{at}") for at in (1, 2, 3)] == [{"a": 1, "b": b} for b in (3, 4, 5)]


def kill(swept: Swept, sweep: int, victim: str) -> None:
    """Kill a stage that hangs, its job, or all of its experiment, with SIGKILL."""
    until((swept.beside / "hung").exists, "no stage hangs")
    stage = psutil.Process(int((swept.beside / "hung").read_text()))
    (swept.beside / "hung").unlink()
    [experiment] = psutil.Process(sweep).children()
    [job] = experiment.children()
    {"stage": stage, "job": job, "experiment": experiment}[victim].kill()
    psutil.wait_procs([stage], LONG)
    assert not stage.is_running() or victim == "stage"


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_sweep_goes_on(swept: Swept, signum: signal.Signals) -> None:
    (swept.beside / "hang second 3").touch()
    with swept.start("python", "-m", "tools.app", "sweep", "it", "b=2,3") as process:
        until((swept.beside / "hung").exists, "no stage hangs")
        family = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signum)
        process.wait(LONG)
    said = swept.sweep("b=2,3")
    assert "1 ran, 1 were done before, 0 failed" in said
    assert not psutil.wait_procs(family, LONG)[1]
    assert swept.ran() == ["first 1 2", "second 1 2", "second 1 3", "second 1 3"]


def test_a_project_in_a_subfolder_of_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept = Swept(tmp_path, monkeypatch, inside="deep/er")
    monkeypatch.setenv("LOTTERY_PARTIAL", "units")
    (swept.repository / "other.txt").write_text("other")
    swept.commit("more")
    swept.sweep("b=2,3")
    assert swept.values("it-2") == {"a": 1, "b": 3}
    assert Path((swept.beside / "partial").read_text()) == swept.root / "units"
    assert "other.txt" not in swept.run("git", "diff", "--stat", "HEAD", "--", ":/")


def test_a_linked_worktree(swept: Swept) -> None:
    swept.run("git", "worktree", "add", "-q", "-b", "other", "../linked")
    linked = Repository(swept.beside / "linked")
    linked.run("python", "-m", "tools.app", "sweep", "it", "b=2,3")
    assert swept.values("it-2") == {"a": 1, "b": 3}


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (["c=1,2"], "it-1 (c=1): "),
        (["b"], "b: "),
        (["b=1,"], "b=1,: "),
    ],
)
def test_what_is_no_grid_is_one_line(swept: Swept, grid: list[str], message: str) -> None:
    said = swept.sweep(*grid, fails=True)
    assert said.splitlines()[-1].startswith(f"error: {message}")
    assert "Traceback" not in said
    assert not (swept.beside / "ran").exists()


def test_without_a_commit_or_git_one_line_says_so(swept: Swept) -> None:
    (swept.root / ".git").rename(swept.beside / "git")
    assert re.search(r"^error: .*git", swept.sweep("b=2,3", fails=True), re.MULTILINE)


def test_lists_are_values_and_names_are_simple() -> None:
    assert combinations("s", ["grid.seeds=[1,2],[3]"]) == [
        Experiment("s-1", ("grid.seeds=[1,2]",)),
        Experiment("s-2", ("grid.seeds=[3]",)),
    ]
    with pytest.raises(UserError, match="a sweep's name has letters"):
        combinations("../x", ["a=1"])


def test_what_a_killed_experiment_has_started_ends_with_it() -> None:
    """Or it would write to the copy while that is removed."""
    command = ["sh", "-c", "sleep 600 & echo $!; kill -9 $$"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, process_group=0) as killed:
        assert killed.stdout is not None
        left = psutil.Process(int(killed.stdout.readline()))
        assert killed.wait() == -signal.SIGKILL
        assert left.is_running()
        sweep._end(killed)
        assert not left.is_running() or left.status() == psutil.STATUS_ZOMBIE
