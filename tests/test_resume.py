"""A journal returns complete entries to the bit, and nothing else."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.numpy import load_file, save_file

from lottery.runtime.resume import NO_JOURNAL, Arrays, Journal
from stages.shell import imports, resume
from tests.project import ROOT

SCRIPT = ROOT / "stages" / "finetune.py"
VALUES = st.recursive(
    st.floats() | st.text() | st.integers(-(2**63), 2**63) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(VALUES, st.dictionaries(st.text("abc", min_size=1), arrays(np.float64, (2, 3))))
def test_entries_are_read_back_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory, values: Any, noted: dict[str, np.ndarray]
) -> None:
    journal = Journal(tmp_path_factory.mktemp("journal"))
    journal.note("unit", values, noted)
    recalled_values, recalled = journal.recall("unit") or (..., {})
    assert repr(recalled_values) == repr(values)
    assert {name: array.tobytes() for name, array in recalled.items()} == {
        name: array.tobytes() for name, array in noted.items()
    }


def test_finished_work_is_not_repeated(tmp_path: Path) -> None:
    journal, calls = Journal(tmp_path / "deep"), []

    def work() -> Arrays:
        calls.append(1)
        return {"logits": np.array([np.nan, 0.1], np.float16)}

    first, second = journal.once("unit", work), journal.once("unit", work)
    assert first["logits"].tobytes() == second["logits"].tobytes()
    assert len(calls) == 1
    journal.of("other").once("unit", work)
    journal.forget("unit")
    journal.once("unit", work)
    assert len(calls) == 3


def test_arrays_keep_their_order(tmp_path: Path) -> None:
    """The rows of records are written in this order."""
    noted = {name: np.full(2, value) for value, name in enumerate("zebrafish")}
    Journal(tmp_path).note("unit", 1, noted)
    _, recalled = Journal(tmp_path).recall("unit") or (..., {})
    assert [*recalled] == [*noted]
    assert all((recalled[name] == noted[name]).all() for name in noted)


@pytest.mark.parametrize("length", [0, 1, 8, 40])
def test_a_truncated_entry_is_ignored(tmp_path: Path, length: int) -> None:
    journal = Journal(tmp_path)
    journal.note("unit", {"score": 0.5}, {"importance": np.ones((3, 4))})
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:length])
    assert journal.recall("unit") is None


@pytest.mark.parametrize(
    "metadata",
    [None, {"values": "1"}, {"values": "1", "names": "7"}, {"values": "1", "names": "[{}]"}],
)
def test_an_entry_that_says_something_else_is_ignored(
    tmp_path: Path, metadata: dict[str, str] | None
) -> None:
    journal = Journal(tmp_path)
    journal.note("unit", 1, {"importance": np.ones(3)})
    (file,) = tmp_path.iterdir()
    save_file(load_file(file), file, metadata)
    assert journal.recall("unit") is None


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the code, which this process reads in the place of its own."""
    for folder in ("lottery", "stages"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "profiles" / "smoke.yaml", tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    for module in (imports, resume):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    imports.tree.cache_clear()
    yield tmp_path
    imports.tree.cache_clear()


@pytest.mark.parametrize(
    ("file", "stays"),
    [
        ("stages/prune.py", False),
        ("lottery/tickets/structured.py", False),  # imported when a search begins
        ("lottery/tickets/importance.py", False),
        ("lottery/tickets/scoring.py", True),
        ("lottery/report/html.py", True),
    ],
)
def test_partial_results_are_those_of_the_code_of_their_stage(
    checkout: Path, file: str, stays: bool
) -> None:
    def note(value: str) -> str | None:
        """What an earlier, interrupted run has noted; a new value is noted before the next interruption."""
        with (
            suppress(InterruptedError),
            resume.journal(f"{checkout}/stages/prune.py", Path("out"), Path("given")) as notes,
        ):
            noted = notes.recall("unit")
            notes.note("unit", value)
            raise InterruptedError
        return noted[0] if noted else None

    assert note("before") is None
    assert note("again") == "before"
    with (checkout / file).open("a", encoding="utf-8") as code:
        code.write("# an edit\n")
    assert note("after") == ("again" if stays else None)


def test_without_a_folder_nothing_is_stored() -> None:
    NO_JOURNAL.note("unit", 1)
    NO_JOURNAL.forget("unit")
    assert NO_JOURNAL.recall("unit") is None
    assert NO_JOURNAL.of("part") is NO_JOURNAL


@pytest.mark.parametrize("shared", [None, "there"])
def test_partial_results_of_other_inputs_stay_in_a_shared_folder_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(resume, "SHARED", shared)
    monkeypatch.setattr(resume, "FOLDER", tmp_path / "partial")
    shutil.copy(ROOT / "profiles" / "smoke.yaml", "params.yaml")
    given, out = Path("given"), Path("models/rte/1")
    for content in ("one", "two"):
        given.write_text(content)
        with suppress(InterruptedError), resume.journal(str(SCRIPT), out, given) as notes:
            notes.note("unit", content)
            raise InterruptedError
    entries = []
    for content in ("two", "one"):
        given.write_text(content)
        with resume.journal(str(SCRIPT), out, given) as notes:
            entries.append(notes.recall("unit"))
    assert entries == [("two", {}), ("one", {}) if shared else None]
    assert not list((tmp_path / "partial").iterdir())
