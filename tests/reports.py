"""The report of an experiment that never ran: as files, and as values."""

import json
from collections.abc import Iterator, Sequence
from contextlib import chdir
from pathlib import Path

from lottery import params
from lottery.analysis import frames
from lottery.report import html, provenance
from lottery.report.blocks import Block, Document, Folded, Section
from lottery.report.material import Material
from stages import report
from stages.shell.sections import SECTIONS
from tests.project import ROOT
from tests.records import ToyExperiment, analysed


def reported(experiment: ToyExperiment, root: Path) -> None:
    """The records of `experiment`, and reports/ with its tables, figures and both forms of the report."""
    analysed(experiment, root)
    write(root)


def unwritten(experiment: ToyExperiment, root: Path) -> Material:
    """The inputs of the report of `experiment`, which is not written."""
    analysed(experiment, root)
    origin = provenance.gather(Path("dvc.lock"), log=[], cells=[])
    provenance.save(origin, root / "reports" / "provenance.json")
    return material(root)


def write(root: Path) -> None:
    """Write the report of the tables below `root`."""
    with chdir(root):
        report.main(
            tables=Path("reports/tables"),
            meta=Path("data/meta"),
            pipeline=ROOT / "dvc.yaml",
            attention=Path("attention"),
            template=html.TEMPLATE,
            out=Path("reports/report.md"),
            pictures=Path("reports/figures"),
            page=Path("reports/report.html"),
            origin=Path("reports/provenance.json"),
        )


def material(root: Path) -> Material:
    """The inputs of the report below `root`."""
    reports, meta = root / "reports", (root / "data" / "meta").glob("*.json")
    return Material(
        tables=frames.Tables(reports / "tables"),
        meta={path.stem: json.loads(path.read_text(encoding="utf-8")) for path in meta},
        parameters=params.read_sections(SECTIONS, params.read(root / "params.yaml")),
        figures="figures",
        provenance=provenance.load(reports / "provenance.json"),
    )


def blocks(document: Document) -> Iterator[Block]:
    """Every block of a document, also those that are folded away."""
    yield from _unfolded(document.lead)
    for section in document.sections:
        yield from _unfolded(section.blocks)


def _unfolded(folded: Sequence[Block]) -> Iterator[Block]:
    for block in folded:
        yield block
        yield from _unfolded(block.blocks) if isinstance(block, Folded) else ()


def open_part(document: Document) -> Document:
    """The document without what is folded away."""

    def unfolded(blocks: Sequence[Block]) -> list[Block]:
        return [block for block in blocks if not isinstance(block, Folded)]

    sections = [Section(section.title, unfolded(section.blocks)) for section in document.sections]
    return Document(document.title, unfolded(document.lead), sections)
