"""The report as values: what `markdown` and `html` render.

Texts are in Markdown's inline syntax (bold, italics, code, links); a line break in a table is `<br>`.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Number:
    """A table entry with the value that a page sorts it by."""

    text: str
    value: float


@dataclass(frozen=True)
class Verdict:
    """A table entry that is the word of a verdict; a page colours it, and a sign repeats the colour."""

    word: str


Entry = str | Number | Verdict


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of texts."""

    texts: Sequence[str]


@dataclass(frozen=True)
class Definitions:
    """Terms, each with its meaning."""

    meanings: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Code:
    """Literal lines in some language."""

    language: str
    text: str


@dataclass(frozen=True)
class Table:
    """A captioned table; every row is as long as the header."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Entry]]


@dataclass(frozen=True)
class Figure:
    """A PNG by its path relative to the report, with its alternative text and its caption."""

    path: str
    alternative: str
    caption: str


@dataclass(frozen=True)
class Folded:
    """Blocks that a reader has to open."""

    title: str
    blocks: Sequence["Block"]


Block = Paragraph | Bullets | Definitions | Code | Table | Figure | Folded


@dataclass(frozen=True)
class Section:
    """A heading and the blocks below it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Document:
    """A whole report: what stands above its first section, and its sections."""

    title: str
    lead: Sequence[Block]
    sections: Sequence[Section]
