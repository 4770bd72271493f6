"""Jobs side by side give what `dvc repro` gives, on cores of their own, and a failure leaves the others done."""

import os
import signal
from pathlib import Path

import psutil
import pytest
from ruamel.yaml import YAML

from stages import STOPPED
from tests.project import ROOT
from tests.toy import LONG, until
from tests.workspace import Repository

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="needs two cores that a process can be bound to",
)
PIPELINE = """\
stages:
  part:
    matrix:
      name: [a, b, c]
    cmd: python part.py ${item.name}
    deps: [part.py]
    params: [bad]
    outs: ["${item.name}.txt"]
  whole:
    cmd: cat a.txt b.txt c.txt > whole.txt
    deps: [a.txt, b.txt, c.txt]
    outs: [whole.txt]
"""
PART = """\
import os, pathlib, sys, time
name = sys.argv[1]
pathlib.Path("seen", name).write_text(str(sorted(os.sched_getaffinity(0))))
other = pathlib.Path("seen", {"a": "b", "b": "a"}.get(name, name))
deadline = time.monotonic() + 300
while os.environ.get("TOGETHER") and not other.exists():
    assert time.monotonic() < deadline, f"{other} did not appear in 300 s: jobs do not run side by side"
    time.sleep(0.05)
if pathlib.Path("params.yaml").read_text().endswith(f"bad: {name}\\n"):
    sys.exit(f"{name} is bad")
pathlib.Path(f"{name}.txt").write_text(name)
"""


def project(root: Path, bad: str = "none") -> Repository:
    (root / "seen").mkdir(parents=True)
    (root / "dvc.yaml").write_text(PIPELINE)
    (root / "part.py").write_text(PART)
    compute = "compute: {threads: 1, alone: 1, device: cpu, precision: float32}\n"
    (root / "params.yaml").write_text(f"{compute}bad: {bad}\n")
    repository = Repository(root)
    repository.init()
    return repository


def repro(repository: Repository, monkeypatch: pytest.MonkeyPatch, fails: bool = False) -> str:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[:2]))
    return repository.run(
        "taskset", "--cpu-list", cores, "python", "-m", "tools.app", "repro", fails=fails
    )


def lock(repository: Repository) -> object:
    return YAML(typ="safe").load(repository.root / "dvc.lock")


def test_jobs_side_by_side_leave_what_dvc_repro_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = project(tmp_path / "one"), project(tmp_path / "other")
    one.run("dvc", "repro")
    monkeypatch.setenv("TOGETHER", "1")
    repro(other, monkeypatch)
    assert lock(one) == lock(other)
    assert (other.root / "whole.txt").read_text() == "abc"
    cores = {name: (other.root / "seen" / name).read_text() for name in "ab"}
    assert cores["a"] != cores["b"]
    assert "up to date" in other.run("dvc", "status")


def test_jobs_that_are_up_to_date_start_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = project(tmp_path / "one")
    repro(repository, monkeypatch)
    assert repro(repository, monkeypatch).splitlines() == ["Data and pipelines are up to date."]
    (repository.root / "b.txt").unlink()
    (repository.root / "c.txt").write_text("changed by hand")
    said = repro(repository, monkeypatch)
    assert (repository.root / "b.txt").read_text() == "b"
    assert (repository.root / "c.txt").read_text() == "c"
    assert (repository.root / "whole.txt").read_text() == "abc"
    assert "part@a" not in said
    assert "part@b" in said
    (repository.root / "part.py").write_text(f"{PART}# edited\n")
    said = repro(repository, monkeypatch)
    assert all(f"part@{name}" in said for name in "abc")


def test_a_failing_job_is_named_and_the_others_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = project(tmp_path / "one", bad="a")
    said = repro(repository, monkeypatch, fails=True)
    assert said.splitlines()[-1] == (
        "error: part@a failed, see above; jobs that do not need it are done"
    )
    assert "Traceback" not in said
    assert (repository.root / "c.txt").exists()
    assert not (repository.root / "whole.txt").exists()
    params = repository.root / "params.yaml"
    params.write_text(params.read_text().replace("bad: a", "bad: none"))
    repro(repository, monkeypatch)
    assert (repository.root / "whole.txt").read_text() == "abc"


@pytest.mark.parametrize("count", [1, 2], ids=["one core", "two cores"])
def test_a_run_that_is_told_to_stop_ends_with_its_stages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    repository = project(tmp_path / "one")
    started = repository.root / "started"
    (repository.root / "part.py").write_text(
        "import os, pathlib, time\nfrom stages.shell import shutdown\nshutdown.prepare()\n"
        "pathlib.Path('part').write_text(str(os.getpid()))\npathlib.Path('part').rename('started')\n"
        "time.sleep(600)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[:count]))
    command = ["taskset", "--cpu-list", cores, "python", "-m", "tools.app", "repro"]
    with repository.start(*command) as process:
        try:
            until(started.exists, "no stage has begun")
            stage = psutil.Process(int(started.read_text()))
            process.terminate()
            assert process.wait(LONG) == 128 + signal.SIGTERM
        finally:
            process.kill()
    until(lambda: not stage.is_running(), "the stage still runs")
    assert repository.said().endswith(f"{STOPPED}\n")
