"""Outputs with any changed bit differ from the hashes of the lock file."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lottery.errors import UserError
from lottery.verification import hashes


@settings(max_examples=30)
@given(data=st.data())
def test_a_flipped_bit_in_any_file_is_reported(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("locked")
    for name in ("1/a", "1/deep/b", "1/deep.b", "2/c"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data.draw(st.binary(min_size=1, max_size=99)))
    write_lock(root, "1", "2/c")
    cells = ["prune@rte-1", "prune@rte-2"]
    assert list(hashes.outputs(root / "dvc.lock", cells, {})) == [None, None]
    files = sorted(path for path in (root / "1").rglob("*") if path.is_file())
    file = data.draw(st.sampled_from(files))
    content = bytearray(file.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(content)
    assert list(hashes.outputs(root / "dvc.lock", cells, {})) == [
        "1: not what `prune@rte-1` made", None,
    ]  # fmt: skip


def write_lock(root: Path, *outs: str) -> None:
    stages = {
        f"prune@rte-{seed}": {"outs": [{"path": out, "md5": hashes.digest(root / out)}]}
        for seed, out in enumerate(outs, 1)
    }
    stages["prune@rte-99"] = {"outs": [{"path": "gone", "md5": "0"}]}  # no cell any more
    (root / "dvc.lock").write_text(json.dumps({"stages": stages}), encoding="utf-8")


def test_a_run_is_unfinished_until_every_job_ran_with_its_parameters_on_the_last_inputs(
    tmp_path: Path,
) -> None:
    lock, parameters = tmp_path / "dvc.lock", {"grid": {"shares": [1]}, "prune": {"rate": 0.1}}
    before = {"params.yaml": {"grid.shares": [1], "prune": {"rate": 0.1}}}
    jobs = {
        "prune": {"outs": [{"path": "a", "md5": "1"}], "params": before},
        "report": {"deps": [{"path": "a", "md5": "1"}, {"path": "code", "md5": "0"}]},
    }

    def faults(**changes: object) -> list[str | None]:
        lock.write_text(json.dumps({"stages": jobs | changes}), encoding="utf-8")
        return list(hashes.outputs(lock, ["prune", "report"], parameters, lambda path: False))

    assert faults() == []
    assert faults(report={"deps": [{"path": "a", "md5": "2"}]}) == [
        "a: `report` ran before it was made anew"
    ]
    for other in ({"grid.shares": [1, 2]}, {"prune": {"rate": 0.2}}, {"gone.key": 1}):
        assert faults(prune={"params": {"params.yaml": other}}) == [
            f"`prune` ran with another value of `{next(iter(other))}`"
        ]
    del jobs["report"]
    assert faults() == [f"{lock}: `report` has not run"]


def test_hashes_of_folders_are_those_of_dvc(tmp_path: Path) -> None:
    for name in ("b", "a/z", "a.b", "a-b/c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    entries = [
        {"md5": hashlib.md5(name.encode(), usedforsecurity=False).hexdigest(), "relpath": name}
        for name in ("a/z", "a-b/c", "a.b", "b")
    ]
    expected = hashlib.md5(json.dumps(entries).encode(), usedforsecurity=False).hexdigest()
    assert hashes.digest(tmp_path) == f"{expected}.dir"


@pytest.mark.parametrize("text", ["", "[]", "stages", "a: [", "b: 1", "stages: {a: 1}"])
def test_a_lock_without_stages_is_a_user_error_of_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "dvc.lock").write_text(text)
    with pytest.raises(UserError, match="no record of a run") as error:
        list(hashes.outputs(tmp_path / "dvc.lock", [], {}))
    assert "\n" not in str(error.value)
