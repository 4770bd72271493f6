"""The report as a whole: what comes first, and its sections in their order."""

from collections.abc import Callable, Iterable, Mapping

from lottery.report.blocks import Block, Document, Section
from lottery.report.material import Material
from lottery.report.numbering import numbered
from lottery.report.sections import (
    attention,
    closing,
    connectivity,
    first,
    methods,
    other_papers,
    rewinding,
    run,
    scores,
    searches,
    speed,
    survival,
    terms,
    transfer,
    unsaid,
    verdicts,
)
from lottery.wording import listed

SECTIONS: Mapping[str, Callable[[Material], Iterable[Block]]] = {
    "Terms": terms.terms,
    "Scoreboard": verdicts.verdicts,
    "What the paper did not say": unsaid.unsaid,
    "The run": run.run,
    "Scores": scores.scores,
    "All claims": verdicts.claims,
    "How far pruning goes": searches.searches,
    "Rewinding": rewinding.rewinding,
    "Transfer": transfer.transfer,
    "Linear mode connectivity": connectivity.connectivity,
    "Other papers": other_papers.other_papers,
    "Size and speed": speed.speed,
    "What survives": survival.survivors,
    "What surviving heads attend to": attention.attention,
    "Methods": methods.methods,
    "Limitations": closing.limitations,
    "Provenance and references": closing.provenance,
}


def compose(material: Material) -> Document:
    """The whole report as values, without the sections that have nothing to say; nothing is measured here."""
    sections = (Section(title, list(blocks(material))) for title, blocks in SECTIONS.items())
    return numbered(
        Document(
            title=f"Lottery tickets in {material.encoder}: {listed(material.titles.values())}",
            lead=list(first.first(material)),
            sections=[section for section in sections if section.blocks],
        )
    )
