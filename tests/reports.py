"""The report of an experiment that never ran."""

from contextlib import chdir
from pathlib import Path

from stages import report
from tests.project import ROOT
from tests.records import Experiment, analysed


def reported(experiment: Experiment, root: Path) -> None:
    """The records of `experiment`, and reports/ with its tables, figures and both forms of the report."""
    analysed(experiment, root)
    with chdir(root):
        report.main(
            tables=Path("reports/tables"),
            meta=Path("data/meta"),
            pipeline=ROOT / "dvc.yaml",
            attention=Path("attention"),
            template=ROOT / "lottery" / "page.html",
            out=Path("reports/report.md"),
            pictures=Path("reports/figures"),
            html=Path("reports/report.html"),
        )
