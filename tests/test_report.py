"""The report of experiments of every shape: no empty section, every number from a table."""

import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery import wording
from lottery.errors import UserError
from lottery.report import html, markdown
from lottery.report.blocks import Definitions, Document, Figure, Number, Paragraph, Table, Verdict
from lottery.report.report import compose
from lottery.tickets.methods import METHODS, STRUCTURED
from tests.project import ROOT
from tests.records import ToyExperiment, analysed
from tests.reports import blocks, material, open_part, reported

DECIMAL = re.compile(rf"[+{wording.MINUS}]?\d+\.\d+ ?(%|±|$)")
SHAPES = {
    "default": ToyExperiment(),
    "one cell": ToyExperiment(tasks=("stsb",), seeds=(7,), draws=1),
    "supers": ToyExperiment(
        tasks=("mnli", "sst2"), seeds=(1, 2), supers=True, degenerate=("sst2",)
    ),
    "degenerate": ToyExperiment(tasks=("sst2", "rte"), seeds=(1, 2), degenerate=("sst2", "rte")),
    "unpruned": ToyExperiment(tasks=("sst2", "stsb"), seeds=(1, 2), unpruned=("sst2",)),
}


@pytest.fixture(scope="module", params=SHAPES)
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    reported(SHAPES[request.param], folder)
    return folder


@pytest.fixture(scope="module")
def document(root: Path) -> Document:
    return compose(material(root))


def test_files_render_the_document(root: Path, document: Document) -> None:
    reports = root / "reports"
    pictures = {
        f"figures/{file.name}": file.read_bytes() for file in (reports / "figures").iterdir()
    }
    template = html.TEMPLATE.read_text(encoding="utf-8")
    assert markdown.render(document) == (reports / "report.md").read_text(encoding="utf-8")
    page = (reports / "report.html").read_text(encoding="utf-8")
    assert html.page(document, pictures, template) == page


def test_descriptors_are_named_by_the_tokens_of_the_tokenizer(root: Path) -> None:
    shown = material(root)
    meta = {
        task: {**about, "tokenizer": {"first": "<s>", "last": "</s>"}}
        for task, about in shown.meta.items()
    }
    before, after = (markdown.render(compose(case)) for case in (shown, replace(shown, meta=meta)))
    assert before.count("to [CLS]") == after.count("to `<s>`")
    assert before.count("to [SEP]") == after.count("to `</s>`")


def test_no_section_is_empty_and_no_value_is_undefined(document: Document) -> None:
    assert len(document.sections) >= 10
    assert all(section.blocks for section in document.sections)
    assert not re.search(r"\b(nan|None|NaN|inf)\b", markdown.render(document))


def test_every_figure_has_a_file_and_an_alternative_text(root: Path, document: Document) -> None:
    figures = [block for block in blocks(document) if isinstance(block, Figure)]
    assert figures
    assert all((root / "reports" / figure.path).is_file() for figure in figures)
    assert all(len(figure.alternative) > 40 for figure in figures)


def test_every_table_names_a_source_that_exists(root: Path, document: Document) -> None:
    captions = [block.caption for block in blocks(document) if isinstance(block, Table)]
    assert all("ource" in caption or "digest" in caption for caption in captions)
    named = set(re.findall(r"`(tables/[\w-]+\.csv)`", " ".join(captions)))
    assert named
    assert all((root / "reports" / path).is_file() for path in named)


def test_rows_of_tables_are_as_long_as_their_headers(document: Document) -> None:
    for table in (block for block in blocks(document) if isinstance(block, Table)):
        assert {len(row) for row in table.rows} == {len(table.header)}, table.caption


def test_numbers_of_tables_sort_as_they_read(document: Document) -> None:
    tables = [block for block in blocks(document) if isinstance(block, Table)]
    measured = [table for table in tables if "params.yaml" not in table.caption]
    entries = [entry for table in measured for row in table.rows for entry in row]
    numbers = [entry for entry in entries if isinstance(entry, Number)]
    assert len(numbers) > 100
    assert all(math.isfinite(number.value) for number in numbers)
    assert not [entry for entry in entries if isinstance(entry, str) and DECIMAL.match(entry)]


def test_open_part_is_short_and_fits_a_page(document: Document) -> None:
    text = markdown.render(open_part(document))
    assert len(text.split()) <= 2500
    assert all(len(line) <= 120 for line in text.splitlines() if line.startswith("|"))


@pytest.mark.parametrize("kind", [Table, Figure])
def test_tables_and_figures_are_numbered_in_their_order(
    document: Document, kind: type[Table] | type[Figure]
) -> None:
    captions = [block.caption for block in blocks(document) if isinstance(block, kind)]
    numbers = [f"**{kind.__name__} {number}.** " for number in range(1, len(captions) + 1)]
    assert captions
    assert all(map(str.startswith, captions, numbers))


def test_a_sentence_and_the_fan_come_first_and_terms_before_they_are_used(
    document: Document,
) -> None:
    sentences, fan = document.lead
    assert isinstance(sentences, Paragraph)
    assert isinstance(fan, Figure)
    assert fan.path.endswith("fan.png")
    [terms] = document.sections[0].blocks
    assert isinstance(terms, Definitions)
    assert {"full", "good", "random", "bad", "pruned", "retrained", "select", "dev", "r"} <= dict(
        terms.meanings
    ).keys()


def test_one_thing_has_one_name(document: Document) -> None:
    text = markdown.render(document)
    for name in ("as cut", "selection data", "winning ticket", "subnets", "Number("):
        assert name not in text


def test_every_verdict_stands_on_the_scoreboard(root: Path, document: Document) -> None:
    tables = material(root).tables
    board = next(block for block in blocks(document) if isinstance(block, Table))
    words = {
        row[0]: [entry.word for entry in row[1:] if isinstance(entry, Verdict)]
        for row in board.rows
    }
    primary = tables["verdicts"][tables["verdicts"]["family"] == "primary"]
    assert list(board.header[1:]) == primary["claim"].tolist()
    assert words["all tasks"] == primary["verdict"].tolist()
    assert words["authors' data"] == primary["published_verdict"].tolist()
    assert len(words) == len(tables["tasks"]) + 2


def test_what_counts_for_nothing_is_listed_with_its_reason(root: Path, document: Document) -> None:
    cells = material(root).tables["cells"]
    own = cells[cells["reported"] & (cells["state"] == "pruned") & cells["matched"].isna()]
    unusable = own[~own["usable"] & own["kind"].isin(["good", "super"])]
    listed = [
        block
        for block in blocks(document)
        if isinstance(block, Table) and "counts for nothing:" in block.caption
    ]
    tickets = {
        (task, seed, *ticket)
        for table in listed
        for task, seeds, *ticket, _ in table.rows
        for seed in str(seeds).split(", ")
    }
    assert len(tickets) == len(unusable)
    assert all(row[-1] != wording.NONE for table in listed for row in table.rows)


@pytest.mark.parametrize(("share", "named"), [(1.2, True), (0.9, False)])
def test_a_full_model_below_a_bag_of_words_is_named(root: Path, share: float, named: bool) -> None:
    shown = material(root)
    results = shown.tables["results"]
    tables = {
        **shown.tables,
        "results": results.assign(share=results["share"].where(results["kind"] != "words", share)),
    }
    text = markdown.render(compose(replace(shown, tables=tables)))
    assert ("a bag of words scores higher than the full model" in text) == named


def test_intervals_of_means_are_named(root: Path) -> None:
    shown = material(root)
    averages = shown.tables["averages"]
    for name, words in {"t": "(t test over seeds)", "bootstrap": "Multi-Bootstrap over"}.items():
        tables = {**shown.tables, "averages": averages.assign(interval=name)}
        text = markdown.render(compose(replace(shown, tables=tables)))
        assert (words in text) == (not averages["matched"].notna().all())


def test_report_imports_no_torch() -> None:
    code = "import sys, stages.report; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_headline_metrics_are_numbers_or_null(root: Path) -> None:
    metrics = json.loads((root / "reports/metrics.json").read_text(encoding="utf-8"))
    assert set(metrics) == {"full", "majority", "verdicts", *METHODS}
    assert "NaN" not in json.dumps(metrics, allow_nan=False)
    assert set(metrics[STRUCTURED.name]) == {
        "pruned", "retrained", "sparsity", "jaccard",
    }  # fmt: skip


def test_missing_cell_raises_and_nothing_is_written(tmp_path: Path) -> None:
    experiment = ToyExperiment(tasks=("sst2",), seeds=(1, 2))
    with pytest.raises(UserError, match=r"sst2/3"):
        analysed(experiment, tmp_path, seeds=(1, 2, 3))
    assert not (tmp_path / "reports/tables").exists()


@given(st.floats(-1e6, 1e6), st.integers(0, 4))
def test_numbers_read_back(value: float, digits: int) -> None:
    text = wording.number(value, digits).replace(wording.MINUS, "-").replace(",", "")
    assert float(text) == pytest.approx(value, abs=0.5000001 * 10**-digits)


def test_zero_has_no_sign_and_p_is_never_zero() -> None:
    assert wording.number(-0.0001) == "0.000"
    assert wording.number(float("nan")) == wording.NONE
    assert wording.probability(0.00049) == "< 0.001"
