"""A report as Markdown."""

from collections.abc import Sequence
from typing import assert_never

from tabulate import tabulate

from lottery.report.blocks import (
    Block,
    Bullets,
    Code,
    Document,
    Entry,
    Figure,
    Folded,
    Number,
    Paragraph,
    Table,
)
from lottery.wording import NONE


def render(document: Document) -> str:
    """The whole text, figures by relative path."""
    sections = [f"## {section.title}\n\n{_joined(section.blocks)}" for section in document.sections]
    return "\n\n".join([f"# {document.title}", *map(_block, document.lead), *sections]) + "\n"


def _joined(blocks: Sequence[Block]) -> str:
    return "\n\n".join(map(_block, blocks))


def _block(block: Block) -> str:
    match block:
        case Paragraph(text):
            return text
        case Bullets(texts):
            return "\n".join(f"- {text}" for text in texts)
        case Code(language, text):
            return f"```{language}\n{text}\n```"
        case Table():
            return f"**{block.caption}**\n\n{_table(block)}"
        case Figure(path, alternative, caption):
            return f"![{alternative}]({path})\n\n*{caption}*"
        case Folded(title, blocks):
            return f"<details>\n<summary>{title}</summary>\n\n{_joined(blocks)}\n\n</details>"
        case _:
            assert_never(block)


def _table(table: Table) -> str:
    """Columns of numbers to the right, of words to the left."""
    columns = zip(*table.rows, strict=True) if table.rows else ((),) * len(table.header)
    align = ["right" if all(map(_numeric, column)) else "left" for column in columns]
    rows = [[_text(entry) for entry in row] for row in table.rows]
    return str(tabulate(rows, table.header, "github", colalign=align, disable_numparse=True))


def _numeric(entry: Entry) -> bool:
    return isinstance(entry, Number) or entry == NONE


def _text(entry: Entry) -> str:
    text = entry.text if isinstance(entry, Number) else entry
    return text.replace("|", "\\|")
