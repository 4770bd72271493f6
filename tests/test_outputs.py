"""Outputs of programs: complete or not there, and an earlier one stays until it is replaced."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lottery.errors import UserError
from stages.shell import cli
from tests.project import ROOT


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
