"""Provenance of a report: what it is read from, and that it is saved whole."""

from pathlib import Path

import pytest

from lottery.errors import UserError
from lottery.report import provenance
from lottery.report.provenance import Provenance, Spent


def test_saved_provenance_is_loaded_whole(tmp_path: Path) -> None:
    spent = [Spent("prune", 2, 0.1 + 0.2, 0.2)]
    origin = Provenance("abc", True, None, {"Python": "3.11"}, "a machine", spent)
    provenance.save(origin, tmp_path / "provenance.json")
    assert provenance.load(tmp_path / "provenance.json") == origin


def test_missing_or_damaged_provenance_raises(tmp_path: Path) -> None:
    for content in (None, b"{", b"{}"):
        if content is not None:
            (tmp_path / "provenance.json").write_bytes(content)
        with pytest.raises(UserError, match=r"provenance\.json: no provenance"):
            provenance.load(tmp_path / "provenance.json")


def test_digest_of_the_lock_ignores_the_report_and_nothing_else(tmp_path: Path) -> None:
    def digest(text: str) -> str | None:
        (tmp_path / "dvc.lock").write_text(text, encoding="utf-8")
        return provenance.digest(tmp_path / "dvc.lock")

    plain = digest("stages:\n  prune: {md5: a}\n  report: {md5: b}\n")
    assert plain == digest("stages:\n  report: {md5: c}\n  prune: {md5: a}\n")
    assert plain != digest("stages:\n  prune: {md5: z}\n")
    assert provenance.digest(tmp_path / "nothing") is None


def test_times_are_the_last_of_each_cell_of_this_pipeline() -> None:
    times = [
        ("prune@sst2-1", 9), ("prune@sst2-1", 2), ("prune@sst2-5", 7), ("check", 1), ("report", 5), (None, 3),
    ]  # fmt: skip
    log = [{"stage": str(name).partition("@")[0], "name": name, "seconds": s} for name, s in times]
    spent = provenance.spent(log, ["prune@sst2-1", "check", "report"])
    assert spent == [Spent("prune", 1, 2, 2), Spent("check", 1, 1, 1)]


def test_core_hours_are_stated_if_every_stage_recorded_its_cores() -> None:
    log = [
        {"stage": "prune", "name": f"prune@sst2-{seed}", "seconds": 1800, "cores": 2}
        for seed in (1, 2)
    ]
    spent = provenance.spent(log, ["prune@sst2-1", "prune@sst2-2"])
    assert provenance.core_hours(spent) == 2
    assert provenance.core_hours([*spent, Spent("check", 1, 1, 1)]) is None
    assert provenance.core_hours([]) is None
