"""The report of an experiment that never ran."""

from contextlib import chdir
from pathlib import Path

from stages import report
from tests.project import ROOT
from tests.records import ToyExperiment, analysed


def reported(experiment: ToyExperiment, root: Path) -> None:
    """The records of `experiment`, and reports/ with its tables, figures and both forms of the report."""
    analysed(experiment, root)
    with chdir(root):
        report.main(
            tables=Path("reports/tables"),
            meta=Path("data/meta"),
            pipeline=ROOT / "dvc.yaml",
            attention=Path("attention"),
            template=ROOT / "lottery" / "report" / "page.html",
            out=Path("reports/report.md"),
            pictures=Path("reports/figures"),
            page=Path("reports/report.html"),
        )
