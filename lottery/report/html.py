"""Markdown as one self-contained HTML page: figures inlined, tables that sort, nothing fetched from anywhere."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from string import Template

from markdown_it import MarkdownIt
from markdown_it.token import Token

from lottery.errors import UserError
from lottery.wording import MINUS


def page(text: str, pictures: Mapping[str, bytes], template: str) -> str:
    """The page of a Markdown `text`, its PNGs by the path the text gives them, in a `template` with $title,
    $contents and $body.

    A bold paragraph above a table is its caption, an italic one below a figure likewise. A UserError where the text
    shows a picture that is not there.
    """
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = markdown.parse(text)
    title = tokens[1].content if tokens and tokens[0].tag == "h1" else "Report"
    tokens = tokens[3:] if tokens and tokens[0].tag == "h1" else tokens
    headings = _anchored(tokens)
    _inlined(tokens, pictures)
    _unbroken(tokens)
    _framed(tokens)
    contents = "".join(
        f'<li><a href="#{anchor}">{escape(name)}</a></li>\n'
        for level, anchor, name in headings
        if level == 2
    )
    body = markdown.renderer.render(tokens, markdown.options, {})
    return Template(template).substitute(title=escape(title), contents=contents, body=body)


def _anchored(tokens: Sequence[Token]) -> list[tuple[int, str, str]]:
    """Give every heading an id and a link to itself; returns level, id and text of each."""
    found: list[tuple[int, str, str]] = []
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        slug = re.sub(r"[^a-z0-9]+", "-", inline.content.lower()).strip("-") or "section"
        used = sum(anchor == slug or anchor.startswith(f"{slug}--") for _, anchor, _ in found)
        anchor = f"{slug}--{used}" if used else slug
        opening.attrSet("id", anchor)
        link = f' <a class="anchor" href="#{anchor}" aria-label="Link to this section">#</a>'
        if inline.children is not None:
            inline.children.append(_html(link, "html_inline"))
        found.append((int(opening.tag[1:]), anchor, inline.content))
    return found


def _inlined(tokens: Sequence[Token], pictures: Mapping[str, bytes]) -> None:
    """Every image as a data URI."""
    for token in (child for parent in tokens for child in parent.children or []):
        if token.type == "image":
            path = str(token.attrGet("src"))
            if path not in pictures:
                raise UserError(f"{path}: the report shows it, but it is not there; write it again")
            data = b64encode(pictures[path]).decode("ascii")
            token.attrSet("src", f"data:image/png;base64,{data}")


def _unbroken(tokens: Sequence[Token]) -> None:
    """Numbers keep their units, those in cells their spread and the two ends of their interval; sentences have room."""
    for opening, inline in pairwise(tokens):
        numeric = opening.type == "td_open" and NUMBER.fullmatch(inline.content)
        if numeric:
            opening.attrSet("class", "number")
        elif opening.type == "td_open" and len(inline.content) > SENTENCE:
            opening.attrSet("class", "words")
        for child in inline.children or []:
            if child.type == "text":
                joint = r" (?!\[)" if numeric else r"(?<=\d) (?=%)"
                child.content = re.sub(joint, "\N{NO-BREAK SPACE}", child.content)


SENTENCE = 60
"""Characters from which a cell needs a column of some width."""
NUMBER = re.compile(rf"(< |[+{MINUS}])?\d([^A-Za-z]|<br>|n = )*")


def _framed(tokens: list[Token]) -> None:
    """Tables and figures in <figure> with their captions; what is too wide scrolls by itself."""
    at = 0
    while at < len(tokens):
        kinds = [token.type for token in tokens[at : at + 6]]
        if kinds[:4] == [*PARAGRAPH, "table_open"] and _whole(tokens[at + 1], "strong"):
            end = next(n for n in range(at, len(tokens)) if tokens[n].type == "table_close")
            caption = tokens[at + 1]
            tokens[end + 1 : end + 1] = [_html("</div></figure>\n")]
            tokens[at : at + 3] = [
                _html('<figure class="table"><figcaption>'),
                caption,
                _html(f"</figcaption>{_scrolling(caption)}"),
            ]
        elif kinds == [*PARAGRAPH, *PARAGRAPH] and _whole(tokens[at + 1], "image"):
            caption = tokens[at + 4]
            tokens[at : at + 6] = [
                _html(f"<figure>{_scrolling(caption)}"),
                tokens[at + 1],
                _html("</div><figcaption>"),
                caption,
                _html("</figcaption></figure>\n"),
            ]
        at += 1


PARAGRAPH = ["paragraph_open", "inline", "paragraph_close"]


def _scrolling(caption: Token) -> str:
    """The start of what scrolls by itself, also by keyboard, under the first sentence of its caption."""
    name = escape(caption.content.strip("*").split(". ")[0].rstrip("."))
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{name}">'


def _whole(inline: Token, kind: str) -> bool:
    """Whether a paragraph is one image, or bold (or italic) from end to end."""
    children = inline.children or []
    if kind == "image":
        return [child.type for child in children] == ["image"]
    edges = [child.type for child in children if child.content or child.nesting]
    return bool(edges) and (edges[0], edges[-1]) == (f"{kind}_open", f"{kind}_close")


def _html(text: str, kind: str = "html_block") -> Token:
    return Token(kind, "", 0, content=text)
