"""A report as Markdown."""

from collections.abc import Sequence
from typing import assert_never

from tabulate import tabulate

from lottery.report.blocks import (
    Block,
    Bullets,
    Code,
    Definitions,
    Document,
    Entry,
    Figure,
    Folded,
    Number,
    Paragraph,
    Table,
    Verdict,
)
from lottery.wording import NONE, signed


def render(document: Document) -> str:
    """The whole text, figures by relative path."""
    sections = [f"## {section.title}\n\n{_joined(section.blocks)}" for section in document.sections]
    return "\n\n".join([f"# {document.title}", *map(_block, document.lead), *sections]) + "\n"


def _joined(blocks: Sequence[Block]) -> str:
    return "\n\n".join(map(_block, blocks))


def _block(block: Block) -> str:
    match block:
        case Paragraph(text):
            shown = text
        case Bullets(texts):
            shown = "\n".join(f"- {text}" for text in texts)
        case Definitions(meanings):
            shown = "\n".join(f"- **{term}**: {meaning}" for term, meaning in meanings)
        case Code(language, text):
            shown = f"```{language}\n{text}\n```"
        case Table():
            shown = f"{block.caption}\n\n{_table(block)}"
        case Figure(path, alternative, caption):
            shown = f"![{alternative}]({path})\n\n{caption}"
        case Folded(title, blocks):
            shown = f"<details>\n<summary>{title}</summary>\n\n{_joined(blocks)}\n\n</details>"
        case _:
            assert_never(block)
    return shown


def _table(table: Table) -> str:
    """Columns of numbers to the right, of words to the left."""
    columns = zip(*table.rows, strict=True) if table.rows else ((),) * len(table.header)
    align = ["right" if all(map(_numeric, column)) else "left" for column in columns]
    rows = [[_text(entry) for entry in row] for row in table.rows]
    return str(tabulate(rows, table.header, "github", colalign=align, disable_numparse=True))


def _numeric(entry: Entry) -> bool:
    return isinstance(entry, Number) or entry == NONE


def _text(entry: Entry) -> str:
    match entry:
        case Number(text):
            return text.replace("|", "\\|")
        case Verdict(word):
            return signed(word)
        case _:
            return entry.replace("|", "\\|")
