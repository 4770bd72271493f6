"""The shell around the stages, tested with a small stage in its own process."""

import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stages.shell import cli, shutdown
from tests.project import ROOT, files

STOPPED = "stopped; nothing is lost: run the same command again to continue\n"
STAGE = """
import sys, time
from pathlib import Path
from lottery.errors import UserError
from stages.shell import cli

def main(how: str, out: Path) -> None:
    "Write a file, fail or wait."
    with cli.stage("toy", "[one] cell", "about") as stage, cli.fresh(out) as draft:
        (draft / "folder").mkdir()
        (draft / "folder" / "file").write_text(how)
        if how == "fault":
            raise UserError("the value 3 is too large; use at most 2")
        if how == "wait":
            print("ready", flush=True)
            time.sleep(60)
        stage.result = "one [folder]"

cli.run(main)
"""


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    (folder / "toy.py").write_text(STAGE)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    return subprocess.Popen(
        [sys.executable, "toy.py", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    with start(folder, *arguments) as process:
        out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def test_stage_prints_and_logs_its_result(tmp_path: Path) -> None:
    code, out, err = run(tmp_path, "work", "out")
    first, last = out.splitlines()
    assert (code, err, first) == (0, "", "toy [one] cell: about")
    assert last.startswith("toy [one] cell: one [folder] (")
    assert (tmp_path / "out" / "folder" / "file").read_text() == "work"
    entry = json.loads((tmp_path / cli.LOG).read_text())
    assert (entry["stage"], entry["cell"]) == ("toy", "[one] cell")
    assert entry["seconds"] >= 0
    tick = 1 / os.sysconf("SC_CLK_TCK")  # `cpu` is a sum of four numbers of whole ticks
    assert 0 < entry["imports"] <= entry["cpu"] + 4 * tick


def test_user_error_is_one_line_and_keeps_the_old_output(tmp_path: Path) -> None:
    run(tmp_path, "work", "out")
    code, _, err = run(tmp_path, "fault", "out")
    assert (code, err) == (1, "error: the value 3 is too large; use at most 2\n")
    assert (tmp_path / "out" / "folder" / "file").read_text() == "work"
    assert {path.name for path in tmp_path.iterdir()} == {"toy.py", "out", "logs"}


@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_stopped_stage_tells_how_to_continue(tmp_path: Path, signum: int, code: int) -> None:
    with start(tmp_path, "wait", "out") as process:
        assert process.stdout is not None
        assert any("ready" in line for line in process.stdout)
        process.send_signal(signum)
        _, err = process.communicate(timeout=300)
    assert process.returncode == code
    assert err == STOPPED
    assert [path.name for path in tmp_path.iterdir()] == ["toy.py"]


@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_stage_stopped_during_imports_tells_how_to_continue(
    tmp_path: Path, signum: int, code: int
) -> None:
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "stages.check", "out"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert any("numpy" in line for line in process.stderr)
        process.send_signal(signum)
        *_, last = process.stderr
    assert process.returncode == code
    assert last == STOPPED
    assert not list(tmp_path.iterdir())


def test_a_stage_whose_runner_has_ended_meanwhile_ends_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it could be watched: a stage loads libraries for seconds, and one that ran on would write unseen."""
    done = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    monkeypatch.setenv(shutdown.RUNNER, done.stdout.decode().strip())
    code, out, _ = run(tmp_path, "work", "out")
    assert (code, out) == (1, "")
    assert not (tmp_path / "out").exists()


def test_a_stage_that_init_has_adopted_ends(tmp_path: Path) -> None:
    (tmp_path / "toy.py").write_text(STAGE)
    # The shell ends at once; the stage waits until it has been adopted, then is loaded.
    waiting = (
        "import os, runpy, sys, time\n"
        "deadline = time.monotonic() + 60\n"
        "while os.getppid() != 1 and time.monotonic() < deadline: time.sleep(0.01)\n"
        "print('adopted by', os.getppid(), flush=True)\n"
        "sys.argv = ['toy.py', 'work', 'out']\n"
        "runpy.run_path('toy.py', run_name='__main__')\n"
    )
    (tmp_path / "waiting.py").write_text(waiting)
    command = f'"{sys.executable}" waiting.py & exit 0'
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DVC_STAGE": "toy"}
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    if not done.stdout.startswith("adopted by 1\n"):
        pytest.skip("orphans of this machine are not adopted by process 1")
    assert (done.stdout, done.stderr) == ("adopted by 1\n", "")
    assert not (tmp_path / "out").exists()


SCRIPTS = [path.stem for path in files("stages") if "cli.run(main)" in (ROOT / path).read_text()]


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_stage_documents_its_arguments(script: str) -> None:
    command = cli.command(importlib.import_module(f"stages.{script}").main)
    assert command.help
    assert not [parameter.name for parameter in command.params if not parameter.help]


def test_usage_names_the_program(tmp_path: Path) -> None:
    assert "Usage: toy.py [OPTIONS]" in run(tmp_path, "--help")[1]
    checked = subprocess.run(
        [sys.executable, "-m", "stages.check", "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Usage: python -m stages.check [OPTIONS]" in checked.stdout
