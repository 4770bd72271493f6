"""Exports that replace an earlier one: complete, or the earlier one stays."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from lottery.errors import UserError
from lottery.export.form import FORMS, TRANSFORMERS
from tests.project import ROOT
from tests.test_export import export, furnish
from tests.workspace import digests


def test_an_earlier_export_stays_until_the_new_one_is_complete(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy)
    furnish(copy)
    out = export(names="transformers", method="magnitude")
    with pytest.raises(UserError, match="is there already"):
        export()
    before = digests(out)
    lossy = replace(TRANSFORMERS, accepted=lambda full, written: written > full)
    with monkeypatch.context() as patch:
        patch.setitem(FORMS, "transformers", lossy)
        with pytest.raises(UserError, match="loses too much"):
            export(names="transformers", replace=True)
    assert digests(out) == before
    export(names="transformers", replace=True)
    after = digests(out)
    assert after.keys() == before.keys()
    assert after != before


@pytest.mark.parametrize("task", ["sst2", ""])
def test_make_ticket_deletes_nothing(tmp_path: Path, task: str) -> None:
    """An export that is refused: the stub stands for `lottery`."""
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text("utf-8"))
    ticket = tmp_path / "build" / "tickets" / "sst2" / "README.md"
    ticket.parent.mkdir(parents=True)
    ticket.touch()
    stub = tmp_path / ".venv" / "bin" / "lottery"
    stub.parent.mkdir(parents=True)
    stub.write_text("#!/bin/sh\nexit 1\n")
    stub.chmod(0o755)
    done = subprocess.run(
        ["make", "-o", "setup", "ticket", f"TASK={task}"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode
    assert ticket.exists()
    assert done.stderr.startswith("error: no task; name one") == (not task)
