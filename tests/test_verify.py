"""The check of a finished run notices every file of the report that was changed."""

import shutil
from pathlib import Path

import pytest

from lottery.analysis import frames
from tests.project import ROOT
from tests.records import ToyExperiment
from tests.reports import unwritten, write
from tests.test_speed_section import measured
from tools import verify


def test_verify_names_every_file_that_is_not_what_the_scores_lead_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = unwritten(ToyExperiment(tasks=("sst2",), seeds=(1, 2)), tmp_path)
    frames.save(measured(toy), tmp_path / "reports" / "speed.csv")
    write(tmp_path)
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    shutil.copytree(ROOT / "lottery", tmp_path / "lottery")
    shutil.copytree(ROOT / "stages", tmp_path / "stages")
    monkeypatch.chdir(tmp_path)
    names = ("scores", "predictions", "subnetworks", "attention", "data/patterns")
    sources = [Path(name) for name in names]
    inputs = [Path("data/meta"), Path("attention"), Path("lottery/report/page.html")]

    def wrong() -> set[str]:
        looks = verify.rebuilt([*sources, ROOT / "published"], inputs, Path("reports"))
        return {look.removeprefix("reports/") for look in looks if look}

    assert not wrong()
    for name in ("report.md", "report.html", "tables/results.csv", "figures/curves.png"):
        with (tmp_path / "reports" / name).open("ab") as file:
            file.write(b" ")
    (tmp_path / "reports" / "tables" / "more.csv").touch()
    (tmp_path / "reports" / "figures" / "overlap.png").unlink()
    assert {line.partition(":")[0] for line in wrong()} == {
        "report.md", "report.html", "tables/results.csv", "figures/curves.png",
        "tables/more.csv", "figures/overlap.png",
    }  # fmt: skip
