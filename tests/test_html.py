"""Both renderings of a report: a Markdown text, and a page that is one file and fetches nothing."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery.errors import UserError
from lottery.report import html, markdown
from lottery.report.blocks import (
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
from lottery.report.numbering import numbered
from lottery.wording import MINUS, NONE, signed

TEMPLATE = html.TEMPLATE.read_text(encoding="utf-8")
VOID = {"meta", "link", "img", "br", "hr"}


class Outline(HTMLParser):
    """Tags in balance, ids, links and whatever would be fetched."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes["href"]] if tag == "a" else []
        self.fetched += [attributes["src"]] if "src" in attributes else []
        self.fetched += [attributes["href"]] if tag == "link" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag in VOID or self.open.pop() == tag


def table(*rows: list[Entry]) -> Table:
    return Table("Caption. Source: `x.csv`.", ["a", "b"], rows)


FIGURE = Figure("figures/a.png", 'words with "quotes"', "Figure 1. What it is.")
DOCUMENT = Document(
    "A title & more",
    [Paragraph("Before the first section.")],
    [
        Section("One", [table(["x", Number(f"{MINUS}1.5", -1.5)])]),
        Section("One", [FIGURE, Bullets(["**bold**: 95 %"]), Code("sh", "make <all>")]),
        Section("Three", [Folded("More", [Paragraph("folded *text*"), table(["y", "2.0"])])]),
    ],
)
PICTURES = {"figures/a.png": b"\x89PNG"}


def test_page_is_one_balanced_file_that_fetches_nothing() -> None:
    outline = Outline(html.page(DOCUMENT, PICTURES, TEMPLATE))
    assert not outline.open
    assert outline.fetched
    assert all(source.startswith("data:") for source in outline.fetched)
    assert "default-src 'none'" in TEMPLATE
    assert not re.search(r"https?://", TEMPLATE)


def test_every_section_has_an_anchor_and_a_line_of_contents() -> None:
    outline = Outline(html.page(DOCUMENT, PICTURES, TEMPLATE))
    assert {"one", "one--1", "three"} <= set(outline.ids)
    inner = [link[1:] for link in outline.links if link.startswith("#")]
    assert sorted(inner) == sorted(2 * ["one", "one--1", "three"])


def test_every_block_is_rendered() -> None:
    text = html.page(DOCUMENT, PICTURES, TEMPLATE)
    assert "<title>A title &amp; more</title>" in text
    assert text.count("<h1>") == 1
    assert "<p>Before the first section.</p>" in text
    assert re.findall(r"<figcaption>(.*?)</figcaption>", text) == [
        "Caption. Source: <code>x.csv</code>.",
        "Figure 1. What it is.",
        "Caption. Source: <code>x.csv</code>.",
    ]
    assert 'alt="words with &quot;quotes&quot;"' in text
    assert "<li><strong>bold</strong>: 95\N{NO-BREAK SPACE}%</li>" in text
    assert "make &lt;all&gt;" in text
    assert "<summary>More</summary>\n<p>folded <em>text</em></p>" in text


def test_numbers_sort_by_value_and_words_by_text() -> None:
    text = html.page(DOCUMENT, PICTURES, TEMPLATE)
    assert f'<td class="number" data-value="-1.5">{MINUS}1.5</td>' in text
    assert "<td>2.0</td>" in text


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("0.5 ± 0.1<br>[0.4, 0.6]", "0.5_±_0.1<br>[0.4,_0.6]"),
        ("0.5 [0.4, 0.6]", "0.5 [0.4,_0.6]"),
        ("< 0.001", "&lt;_0.001"),
        ("12.5 %", "12.5_%"),
    ],
)
def test_numbers_break_before_their_interval_only(text: str, rendered: str) -> None:
    document = Document("", [table(["x", Number(text, 0.5)])], [])
    entry = f'data-value="0.5">{rendered}</td>'.replace("_", "\N{NO-BREAK SPACE}")
    assert entry in html.page(document, {}, TEMPLATE)


@pytest.mark.parametrize(
    "word", ["reproduced", "contradicted", "equivalent", "undecided", "closed", "untested"]
)
def test_verdicts_have_a_sign_beside_their_colour(word: str) -> None:
    document = Document("", [table(["x", Verdict(word)])], [])
    assert f'<span class="verdict {word}">{signed(word)}</span>' in html.page(
        document, {}, TEMPLATE
    )
    assert f"| x   | {signed(word)} |" in markdown.render(document)
    assert signed(word) != word


def test_terms_are_a_list_of_definitions() -> None:
    document = Document("", [Definitions([("r", "a *score*")])], [])
    assert "<dt>r</dt><dd>a <em>score</em></dd>" in html.page(document, {}, TEMPLATE)
    assert "- **r**: a *score*" in markdown.render(document)


def test_numbering_follows_the_order_of_reading() -> None:
    fold = Folded("More", [table(["x", "y"]), FIGURE])
    document = numbered(
        Document("", [FIGURE], [Section("A", [fold, table(["x", "y"])]), Section("B", [FIGURE])])
    )
    text = markdown.render(document)
    assert re.findall(r"\*\*(\w+ \d+)\.\*\*", text) == [
        "Figure 1",
        "Table 1",
        "Figure 2",
        "Table 2",
        "Figure 3",
    ]


def test_missing_picture_raises() -> None:
    with pytest.raises(UserError, match=r"figures/a\.png"):
        html.page(DOCUMENT, {}, TEMPLATE)


@given(st.lists(st.sampled_from(["One", "one", "One 1", "one--1", "∞"]), max_size=8))
def test_anchors_are_unique_whatever_the_titles(titles: list[str]) -> None:
    document = Document("", [], [Section(title, [Paragraph("text")]) for title in titles])
    outline = Outline(html.page(document, {}, TEMPLATE))
    assert len(outline.ids) == len(set(outline.ids)) == len(titles)


def test_markdown_aligns_numbers_to_the_right_and_escapes_bars() -> None:
    rows = table(["x|y", Number("1", 1)], ["z", NONE])
    text = markdown.render(Document("T", [rows], []))
    assert text == (
        "# T\n\nCaption. Source: `x.csv`.\n\n"
        f"| a    |   b |\n|------|-----|\n| x\\|y |   1 |\n| z    |   {NONE} |\n"
    )


def test_markdown_has_every_block() -> None:
    text = markdown.render(DOCUMENT)
    for part in (
        "# A title & more\n\nBefore the first section.\n\n## One\n\nCaption.",
        '![words with "quotes"](figures/a.png)\n\nFigure 1. What it is.\n\n- **bold**: 95 %',
        "- **bold**: 95 %\n\n```sh\nmake <all>\n```",
        "<details>\n<summary>More</summary>\n\nfolded *text*\n\nCaption.",
    ):
        assert part in text
    assert text.endswith("|\n\n</details>\n")
