"""The shell around the stages, tested with a small stage in its own process."""

import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lottery.errors import UserError
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


def test_new_output_replaces_old_output(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    for content in ("old", "new"):
        with cli.fresh(out) as draft:
            (draft / content).write_text(content)
    assert [path.name for path in out.iterdir()] == ["new"]
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_drafts_of_killed_processes_are_removed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    dead, alive = int(done.stdout), os.getppid()
    for process in (dead, alive):
        (tmp_path / f".{process}.out").mkdir()
        (tmp_path / f".{process}.out" / "half").touch()
    with cli.fresh(tmp_path / "out") as draft:
        (draft / "whole").touch()
    assert {path.name for path in tmp_path.iterdir()} == {"out", f".{alive}.out"}


DYING = """
import os, sys
from pathlib import Path
from stages.shell import cli

rename, calls = Path.rename, []

def dying(path: Path, target: Path) -> Path:
    calls.append(path)
    return os._exit(9) if len(calls) == int(sys.argv[1]) else rename(path, target)

Path.rename = dying
with cli.fresh(Path("out")) as draft:
    (draft / "new").touch()
"""


@pytest.mark.parametrize("renames", [1, 2])
def test_an_output_that_was_being_replaced_outlives_a_kill(tmp_path: Path, renames: int) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", DYING, str(renames)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 9
    with pytest.raises(UserError), cli.fresh(tmp_path / "out"):
        raise UserError("the next run fails too")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["old"]


def test_an_output_whose_replacement_fails_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, rename = tmp_path / "out", Path.rename

    def fail(path: Path, target: Path) -> Path:
        if path.is_dir() and (path / "new").exists():
            raise OSError("no space")
        return rename(path, target)

    with cli.fresh(out) as draft:
        (draft / "old").touch()
    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="no space"), cli.fresh(out) as draft:
        (draft / "new").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in out.iterdir()] == ["old"]


@pytest.mark.parametrize("target", ["elsewhere", "nowhere"])
def test_a_link_is_replaced_and_what_it_names_stays(tmp_path: Path, target: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").touch()
    (tmp_path / "out").symlink_to(target)
    with cli.fresh(tmp_path / "out") as draft:
        (draft / "new").touch()
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")} == {
        "elsewhere", "elsewhere/kept", "out", "out/new",
    }  # fmt: skip
    assert not (tmp_path / "out").is_symlink()


def test_a_file_is_not_replaced_by_a_folder_nor_a_folder_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match="a file is there"), cli.fresh(tmp_path / "file"):
        pass
    with pytest.raises(UserError, match="a folder is there"), cli.fresh_file(tmp_path / "folder"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder"}


def test_files_and_the_folders_that_name_them_reach_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = list[str]()
    monkeypatch.setattr(cli, "_to_disk", lambda path: written.append(path.name.split(".")[-1]))
    with cli.fresh(tmp_path / "out") as draft:
        (draft / "part").mkdir()
        (draft / "part" / "leaf").touch()
    with cli.fresh_file(tmp_path / "table") as file:
        file.touch()
    assert written == ["out", "part", "leaf", tmp_path.name, "table", tmp_path.name]


def test_file_is_written_completely_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out.json"
    with pytest.raises(IsADirectoryError), cli.fresh_file(out) as draft:
        tmp_path.joinpath("deep").write_text(str(draft))
    assert not list(out.parent.iterdir())
    with cli.fresh_file(out) as draft:
        draft.write_text("whole")
        assert not out.exists()
    assert [path.read_text() for path in out.parent.iterdir()] == ["whole"]


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
