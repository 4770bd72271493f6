"""The report of experiments of every shape: no empty section, every number from a table."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery import wording
from lottery.analysis import frames
from lottery.errors import UserError
from lottery.report import html, markdown
from lottery.report.blocks import Document, Figure, Number, Paragraph, Table
from lottery.report.report import compose
from lottery.tickets.methods import METHODS, STRUCTURED
from tests.project import ROOT
from tests.records import ToyExperiment, analysed
from tests.reports import blocks, material, reported

DECIMAL = re.compile(rf"[+{wording.MINUS}]?\d+\.\d+ ?(%|±|$)")
SHAPES = {
    "default": ToyExperiment(),
    "one cell": ToyExperiment(tasks=("stsb",), seeds=(7,), draws=1),
    "supers": ToyExperiment(
        tasks=("mnli", "sst2"), seeds=(1, 2), supers=True, degenerate=("sst2",)
    ),
    "degenerate": ToyExperiment(tasks=("sst2", "rte"), seeds=(1, 2), degenerate=("sst2", "rte")),
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


def test_no_section_is_empty_and_no_value_is_undefined(document: Document) -> None:
    assert len(document.sections) >= 12
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


def test_abstract_states_the_numbers_of_the_tables(root: Path, document: Document) -> None:
    [abstract] = next(each for each in document.sections if each.title == "Abstract").blocks
    assert isinstance(abstract, Paragraph)
    averages = frames.load(root / "reports/tables/averages.csv")
    sound = averages[averages["scope"] == "sound"]
    if sound.empty:
        assert "there is no average" in abstract.text
        return
    for row in frames.rows(sound[~sound["kind"].str.startswith("super")]):
        share = row.kind != "full"
        stated = wording.percent(row.share, 0) if share else wording.number(row.mean)
        assert stated in abstract.text


def test_report_imports_no_torch() -> None:
    code = "import sys, stages.report; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_headline_metrics_are_numbers_or_null(root: Path) -> None:
    metrics = json.loads((root / "reports/metrics.json").read_text(encoding="utf-8"))
    assert set(metrics) == {"full", "majority", *METHODS}
    assert "NaN" not in json.dumps(metrics, allow_nan=False)
    assert set(metrics[STRUCTURED.name]) == {
        "pruned", "retrained", "share_of_full", "sparsity", "jaccard",
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
