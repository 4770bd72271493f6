"""Files that DVC writes in place, cut off by a kill: `lottery repro` mends them, wherever they are cut."""

import json
from pathlib import Path

import pytest
from dvc.lock import make_lock
from dvc.utils.serialize import dumps_yaml, parse_yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.mending import mend
from tests.test_repro import project, repro

LOCK = dumps_yaml(
    {
        "schema": "2.0",
        "stages": {
            name: {
                "cmd": f"python part.py {name}",
                "deps": [{"path": "part.py", "hash": "md5", "md5": "a" * 32, "size": 120}],
                "params": {"params.yaml": {"bad": "none"}},
                "outs": [{"path": f"{name}.txt", "hash": "md5", "md5": "b" * 32, "size": 1}],
            }
            for name in ("check", "part@a", "part@b", "whole")
        },
    }
)
ENTRIES = parse_yaml(LOCK, "dvc.lock")["stages"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / ".dvc" / "tmp").mkdir(parents=True)
    return folder


@settings(max_examples=60)
@given(length=st.integers(0, len(LOCK)))
def test_a_lock_file_cut_anywhere_keeps_its_whole_entries(root: Path, length: int) -> None:
    path = root / "dvc.lock"
    path.write_text(LOCK[:length])
    mend(root)
    begun = sum(LOCK[:length].count(f"\n  {name}:\n") for name in ENTRIES)
    entries = parse_yaml(path.read_text(), "dvc.lock")["stages"] if path.exists() else {}
    assert len(entries) >= begun - 1
    assert all(entries[name] == ENTRIES[name] for name in [*entries][:-1])
    assert not [*root.glob(".*.dvc.lock")]


def test_a_lock_file_cut_within_a_letter_keeps_its_whole_entries(root: Path) -> None:
    path = root / "dvc.lock"
    whole = LOCK.replace("bad: none", "language: Français").encode()
    path.write_bytes(whole[: whole.rindex("ç".encode()) + 1])
    mend(root)
    assert [*parse_yaml(path.read_text(), "dvc.lock")["stages"]] == [*ENTRIES][:-1]


def test_a_conflict_of_git_is_left_to_its_owner(root: Path) -> None:
    path = root / "dvc.lock"
    conflict = LOCK.replace("schema", "<<<<<<< ours\nschema", 1)
    path.write_text(conflict)
    mend(root)
    assert path.read_text() == conflict
    path.unlink()


@pytest.mark.parametrize("text", ["", '{"write": {"/a": {"pi', "null,"])
def test_a_table_of_commands_that_is_cut_off_is_removed(root: Path, text: str) -> None:
    table = root / ".dvc" / "tmp" / "rwlock"
    table.write_text(text)
    mend(root)
    assert not table.exists()


def test_a_whole_table_and_one_that_is_being_written_are_kept(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = root / ".dvc" / "tmp" / "rwlock"
    table.write_text(json.dumps({"read": {}, "write": {}}))
    mend(root)
    assert table.exists()
    table.write_text("")
    monkeypatch.setattr("dvc.lock.DEFAULT_TIMEOUT", 0)
    with make_lock(str(table.with_name("rwlock.lock"))):
        mend(root)
    assert table.exists()


def test_a_run_goes_on_after_both_were_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = project(tmp_path / "cut")
    repro(repository, monkeypatch)
    lock, table = repository.root / "dvc.lock", repository.root / ".dvc" / "tmp" / "rwlock"
    whole = lock.read_text()
    lock.write_text(whole[: whole.rindex("md5:")])
    table.write_text("")
    assert "corrupted" in repository.run("dvc", "repro", fails=True)
    seen = repository.root / "seen"
    for file in seen.iterdir():
        file.unlink()
    repro(repository, monkeypatch)
    assert parse_yaml(lock.read_text(), "dvc.lock") == parse_yaml(whole, "dvc.lock")
    assert not [*seen.iterdir()]
    assert "up to date" in repository.run("dvc", "status")
