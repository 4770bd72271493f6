"""Numbers of tables and figures, in the order in which a reader meets them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

from lottery.report.blocks import Block, Document, Figure, Folded, Table


def numbered(document: Document) -> Document:
    """The document with `Table 1.`, `Figure 1.` and so on before the captions, also of what is folded."""
    tables, figures = count(1), count(1)
    return replace(
        document,
        lead=_numbered(document.lead, tables, figures),
        sections=[
            replace(section, blocks=_numbered(section.blocks, tables, figures))
            for section in document.sections
        ],
    )


def _numbered(
    blocks: Sequence[Block], tables: Iterator[int], figures: Iterator[int]
) -> list[Block]:
    return [_with_number(block, tables, figures) for block in blocks]


def _with_number(block: Block, tables: Iterator[int], figures: Iterator[int]) -> Block:
    match block:
        case Table():
            return replace(block, caption=f"**Table {next(tables)}.** {block.caption}")
        case Figure():
            return replace(block, caption=f"**Figure {next(figures)}.** {block.caption}")
        case Folded():
            return replace(block, blocks=_numbered(block.blocks, tables, figures))
        case _:
            return block
