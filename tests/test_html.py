"""The page: one file, nothing fetched, everything of the Markdown in it."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery import wording
from lottery.errors import UserError
from lottery.report import html, markdown
from tests.project import ROOT

TEMPLATE = (ROOT / "lottery" / "report" / "page.html").read_text(encoding="utf-8")
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
        given_ = {name: value or "" for name, value in attrs}
        self.ids += [given_["id"]] if "id" in given_ else []
        self.links += [given_["href"]] if tag == "a" else []
        self.fetched += [given_[name] for name in ("src",) if name in given_]
        self.fetched += [given_["href"]] if tag == "link" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag in VOID or self.open.pop() == tag


TEXT = "\n\n".join(
    [
        "# A title & more",
        markdown.section(
            "One",
            markdown.table("Caption. Source: `x.csv`.", ["a", "b"], [["x", wording.number(-1.5)]]),
        ),
        markdown.section(
            "One", markdown.figure("figures/a.png", "words", "Figure 1. *What* it is.")
        ),
        markdown.folded("More", "folded *text*"),
    ]
)


def test_it_is_one_file_that_fetches_nothing() -> None:
    found = Outline(html.page(TEXT, {"figures/a.png": b"\x89PNG"}, TEMPLATE))
    assert not found.open
    assert found.fetched
    assert all(source.startswith("data:") for source in found.fetched)
    assert "default-src 'none'" in TEMPLATE
    assert not re.search(r"https?://", TEMPLATE)


def test_every_section_has_its_own_anchor() -> None:
    found = Outline(html.page(TEXT, {"figures/a.png": b""}, TEMPLATE))
    assert {"one", "one--1"} <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))
    inner = {link[1:] for link in found.links if link.startswith("#")}
    assert inner <= set(found.ids)


def test_captions_belong_to_their_tables_and_figures() -> None:
    text = html.page(TEXT, {"figures/a.png": b""}, TEMPLATE)
    assert "<title>A title &amp; more</title>" in text
    assert text.count("<h1>") == 1
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", text, re.DOTALL)
    assert captions[0].startswith("<strong>Caption.")
    assert "Figure 1." in captions[1]
    assert f'<td class="number">{wording.number(-1.5)}</td>' in text
    assert "<summary>More</summary>" in text
    assert "folded <em>text</em>" in text


def test_a_picture_that_is_not_there_is_named() -> None:
    with pytest.raises(UserError, match=r"figures/a\.png"):
        html.page(TEXT, {}, TEMPLATE)


@given(st.lists(st.sampled_from(["## One", "## one", "### One 1", "## ∞", "text"]), max_size=8))
def test_anchors_are_unique_whatever_the_headings(lines: list[str]) -> None:
    found = Outline(html.page("\n\n".join(lines), {}, TEMPLATE))
    assert len(found.ids) == len(set(found.ids))
