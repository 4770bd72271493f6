"""A report as one self-contained HTML page: figures inlined, tables that sort, nothing fetched from anywhere."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any, assert_never

from markdown_it import MarkdownIt

from lottery.errors import UserError
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
    Section,
    Table,
    Verdict,
)
from lottery.wording import signed

TEMPLATE = Path(__file__).with_name("page.html")
NO_BREAK = "\N{NO-BREAK SPACE}"
NO_BREAK_HYPHEN = "\N{NON-BREAKING HYPHEN}"
NUMBERED = re.compile(r"((Table|Figure) \d+\. )?[^.;:]+")
"""The start of a caption: its number and its first words."""
SENTENCE = 60
"""Characters from which a table entry needs a column of some width."""


def page(document: Document, pictures: Mapping[str, bytes], template: str) -> str:
    """The page of a document, its PNGs by the paths of its figures.

    The `template` has $title, $heading, $contents and $body. Raises UserError if a figure has no PNG.
    """
    anchors = _anchors([section.title for section in document.sections])
    sections = list(zip(anchors, document.sections, strict=True))
    contents = [
        f'<li><a href="#{anchor}">{_inline(section.title)}</a></li>\n'
        for anchor, section in sections
    ]
    body = [f"<header>\n{_joined(document.lead, pictures)}</header>\n"]
    body += [_section(anchor, section, pictures) for anchor, section in sections]
    return Template(template).substitute(
        title=escape(document.title),
        heading=escape(document.title).replace("-", NO_BREAK_HYPHEN),
        contents="".join(contents),
        body="".join(body),
    )


def _anchors(titles: Sequence[str]) -> list[str]:
    """An id of its own for every title."""
    anchors: list[str] = []
    for title in titles:
        slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "section"
        used = sum(anchor == slug or anchor.startswith(f"{slug}--") for anchor in anchors)
        anchors.append(f"{slug}--{used}" if used else slug)
    return anchors


def _section(anchor: str, section: Section, pictures: Mapping[str, bytes]) -> str:
    link = f'<a class="anchor" href="#{anchor}" aria-label="Link to this section">#</a>'
    heading = f'<h2 id="{anchor}">{_inline(section.title)} {link}</h2>\n'
    return heading + _joined(section.blocks, pictures)


def _joined(blocks: Sequence[Block], pictures: Mapping[str, bytes]) -> str:
    return "".join(_block(block, pictures) for block in blocks)


def _block(block: Block, pictures: Mapping[str, bytes]) -> str:
    match block:
        case Paragraph(text):
            shown = f"<p>{_inline(text)}</p>"
        case Bullets(texts):
            items = "".join(f"<li>{_inline(text)}</li>\n" for text in texts)
            shown = f"<ul>\n{items}</ul>"
        case Definitions(meanings):
            terms = "".join(
                f"<div><dt>{_inline(term)}</dt><dd>{_inline(meaning)}</dd></div>\n"
                for term, meaning in meanings
            )
            shown = f"<dl>\n{terms}</dl>"
        case Code(language, text):
            shown = f'<pre><code class="language-{language}">{escape(text)}\n</code></pre>'
        case Table(caption):
            table = _scrolling(caption, _table(block))
            shown = (
                f'<figure class="table"><figcaption>{_inline(caption)}</figcaption>{table}</figure>'
            )
        case Figure(path, alternative, caption):
            image = f'<img src="{_data(path, pictures)}" alt="{escape(alternative)}">'
            picture = _scrolling(caption, image)
            shown = f"<figure>{picture}<figcaption>{_inline(caption)}</figcaption></figure>"
        case Folded(title, blocks):
            summary = f"<summary>{_inline(title)}</summary>\n"
            shown = f"<details>\n{summary}{_joined(blocks, pictures)}</details>"
        case _:
            assert_never(block)
    return shown + "\n"


def _scrolling(caption: str, content: str) -> str:
    """A region that scrolls by itself if it is too wide, also by keyboard, named by the start of its caption."""
    start = NUMBERED.match(caption.replace("**", ""))
    name = escape(start[0] if start else "scrolls")
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{name}">{content}</div>'


def _data(path: str, pictures: Mapping[str, bytes]) -> str:
    if path not in pictures:
        raise UserError(f"{path}: the report shows it, but it is missing; write the report again")
    return f"data:image/png;base64,{b64encode(pictures[path]).decode('ascii')}"


def _table(table: Table) -> str:
    head = "".join(f"<th>{_inline(name)}</th>\n" for name in table.header)
    rows = "".join(f"<tr>\n{''.join(map(_entry, row))}</tr>\n" for row in table.rows)
    return f"<table>\n<thead>\n<tr>\n{head}</tr>\n</thead>\n<tbody>\n{rows}</tbody>\n</table>"


def _entry(entry: Entry) -> str:
    """Numbers keep their spread, and the two ends of their interval; sentences have room."""
    if isinstance(entry, Number):
        text = re.sub(r" (?!\[)", NO_BREAK, entry.text)
        return f'<td class="number" data-value="{entry.value:.6g}">{_inline(text)}</td>\n'
    if isinstance(entry, Verdict):
        return f'<td><span class="verdict {entry.word}">{signed(entry.word)}</span></td>\n'
    words = ' class="words"' if len(entry) > SENTENCE else ""
    return f"<td{words}>{_inline(entry)}</td>\n"


def _inline(text: str) -> str:
    return str(INLINE.renderInline(text))


def _unbroken(_: Any, tokens: Sequence[Any], at: int, *__: Any) -> str:
    """Plain text in which numbers stay with their percent signs, and s-pruning and m-pruning in one piece."""
    text = re.sub(r"(?<=\d) (?=%)", NO_BREAK, tokens[at].content)
    return escape(re.sub(r"\b([sm])-(?=pruning)", rf"\1{NO_BREAK_HYPHEN}", text), quote=False)


INLINE = MarkdownIt("commonmark", {"html": True})
INLINE.add_render_rule("text", _unbroken)
