"""The report as a whole: its sections in their order."""

from collections.abc import Callable, Iterable, Mapping

from lottery.report.blocks import Block, Document, Section
from lottery.report.material import Material
from lottery.report.sections import (
    abstract,
    attention,
    closing,
    methods,
    scores,
    searches,
    setting,
    survival,
    verdicts,
)
from lottery.wording import listed

SECTIONS: Mapping[str, Callable[[Material], Iterable[Block]]] = {
    "Abstract": abstract.abstract,
    "Verdicts": verdicts.verdicts,
    "What was run": setting.setting,
    "Methods": methods.methods,
    "Results": scores.results,
    "Comparison with the paper": scores.published,
    "How far pruning goes": searches.searches,
    "Where the survivors are": survival.survival,
    "Agreement between seeds": survival.agreement,
    "Overlap between tasks": survival.overlap,
    "What surviving heads attend to": attention.attention,
    "Limitations": closing.limitations,
    "Provenance": closing.provenance,
    "References": closing.references,
}


def compose(material: Material) -> Document:
    """The whole report as values; nothing is measured here."""
    return Document(
        title=f"Lottery tickets in {material.encoder}: {listed(material.titles.values())}",
        lead=[],
        sections=[Section(title, list(blocks(material))) for title, blocks in SECTIONS.items()],
    )
