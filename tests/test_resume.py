"""A journal gives back what was kept, whole, and nothing that is not."""

import shutil
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lottery.runtime.resume import NOWHERE, Journal
from stages.shell import resume
from tests.project import ROOT

VALUES = st.recursive(
    st.floats() | st.text() | st.integers(-(2**63), 2**63) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(VALUES, st.dictionaries(st.text("abc", min_size=1), arrays(np.float64, (2, 3))))
def test_what_is_noted_comes_back_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory, values: Any, kept: dict[str, np.ndarray]
) -> None:
    journal = Journal(tmp_path_factory.mktemp("journal"))
    journal.note("unit", values, kept)
    found, arrays_found = journal.recall("unit") or (..., {})
    assert repr(found) == repr(values)
    assert {name: each.tobytes() for name, each in arrays_found.items()} == {
        name: each.tobytes() for name, each in kept.items()
    }


def test_work_is_done_once(tmp_path: Path) -> None:
    journal, calls = Journal(tmp_path / "deep"), []

    def work() -> float:
        calls.append(1)
        return float("nan")

    first, second = journal.once("unit", work), journal.once("unit", work)
    assert (repr(first), repr(second), len(calls)) == ("nan", "nan", 1)
    journal.of("other").once("unit", work)
    journal.forget("unit")
    journal.once("unit", work)
    assert len(calls) == 3


def test_arrays_come_back_in_their_order(tmp_path: Path) -> None:
    """Rows of records are written in it."""
    arrays = {name: np.full(2, at) for at, name in enumerate("zebrafish")}
    Journal(tmp_path).note("unit", 1, arrays)
    found = Journal(tmp_path).recall("unit")
    assert found
    assert [*found[1]] == [*arrays]
    assert all((found[1][name] == arrays[name]).all() for name in arrays)


@pytest.mark.parametrize("cut", [0, 1, 8, 40])
def test_half_an_entry_is_none(tmp_path: Path, cut: int) -> None:
    journal = Journal(tmp_path)
    journal.note("unit", {"score": 0.5}, {"importance": np.ones((3, 4))})
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:cut])
    assert journal.recall("unit") is None


def test_the_program_that_runs_is_part_of_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ROOT / "profiles" / "smoke.yaml", tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    program = ModuleType("__main__")
    program.__file__ = "program.py"
    monkeypatch.setitem(sys.modules, "__main__", program)
    keys = []
    for text in ("1", "1", "2"):
        Path("program.py").write_text(text)
        with resume.journal(Path("out"), Path("given")) as notes:
            keys.append(notes.folder)
    assert keys[0] == keys[1] != keys[2]


def test_without_a_folder_nothing_is_kept() -> None:
    NOWHERE.note("unit", 1)
    NOWHERE.forget("unit")
    assert NOWHERE.recall("unit") is None
    assert NOWHERE.of("part") is NOWHERE


@pytest.mark.parametrize("shared", [None, "there"])
def test_work_on_other_inputs_is_kept_for_others_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(resume, "SHARED", shared)
    monkeypatch.setattr(resume, "FOLDER", tmp_path / "partial")
    shutil.copy(ROOT / "profiles" / "smoke.yaml", "params.yaml")
    given, out = Path("given"), Path("models/rte/1")
    for content in ("one", "two"):
        given.write_text(content)
        with suppress(InterruptedError), resume.journal(out, given) as notes:
            notes.note("unit", content)
            raise InterruptedError
    found = []
    for content in ("two", "one"):
        given.write_text(content)
        with resume.journal(out, given) as notes:
            found.append(notes.recall("unit"))
    assert found == [("two", {}), ("one", {}) if shared else None]
    assert not list((tmp_path / "partial").iterdir())
