"""The report: every number from a table, no empty section, for every shape of experiment."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery import wording
from lottery.analysis import frames
from lottery.errors import UserError
from lottery.report import provenance
from tests.records import ToyExperiment, analysed
from tests.reports import reported

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


@pytest.fixture
def text(root: Path) -> str:
    return (root / "reports" / "report.md").read_text(encoding="utf-8")


def test_no_section_is_empty_and_no_number_is_missing_unsaid(text: str) -> None:
    sections = re.split(r"^#+ ", text, flags=re.MULTILINE)[1:]
    assert len(sections) >= 12
    assert all(len(section.split("\n", 1)[1].split()) > 5 for section in sections[1:])
    assert not re.search(r"\b(nan|None|NaN|inf)\b", text)


def test_every_figure_exists_and_has_words_for_those_who_do_not_see_it(
    root: Path, text: str
) -> None:
    images = re.findall(r"!\[(.*?)\]\((.*?)\)", text)
    drawn = {path.name for path in (root / "reports/figures").iterdir()}
    assert {Path(path).name for _, path in images} <= drawn
    assert all((root / "reports" / path).is_file() and len(words) > 40 for words, path in images)


def test_the_page_holds_every_figure_and_table(root: Path, text: str) -> None:
    shown = (root / "reports" / "report.html").read_text(encoding="utf-8")
    assert shown.count('<img src="data:image/png;base64,') == text.count("![")
    tables = len(re.findall(r"^\|[-|]+\|$", text, flags=re.MULTILINE))
    assert shown.count("<table>") == shown.count('<figure class="table">') == tables


def test_every_table_names_a_source_that_exists(root: Path, text: str) -> None:
    captions = re.findall(r"^\*\*(.*)\*\*\n\n\|", text, flags=re.MULTILINE)
    assert len(captions) == len(re.findall(r"^\|[-|]+\|$", text, flags=re.MULTILINE))
    for named in set(re.findall(r"`(tables/[\w-]+\.csv)`", text)):
        assert (root / "reports" / named).is_file()
    assert all("ource" in caption or "digest" in caption for caption in captions)


def test_rows_of_tables_are_as_wide_as_their_headers(text: str) -> None:
    for block in re.findall(r"(?:^\|.*\|\n)+", text, flags=re.MULTILINE):
        assert len({line.replace("\\|", "").count("|") for line in block.splitlines()}) == 1


def test_the_abstract_says_what_the_tables_say(root: Path, text: str) -> None:
    abstract = text.split("## Abstract")[1].split("\n## ", maxsplit=1)[0]
    averages = frames.load(root / "reports/tables/averages.csv")
    sound = averages[averages["scope"] == "sound"]
    if sound.empty:
        assert "nothing to average" in abstract
        return
    for row in frames.rows(sound[~sound["kind"].str.startswith("super")]):
        share = row.kind != "full"
        said = wording.percent(row.share, 0) if share else wording.number(row.mean)
        assert said in abstract


def test_headline_metrics_are_numbers_or_null(root: Path) -> None:
    found = json.loads((root / "reports/metrics.json").read_text(encoding="utf-8"))
    assert set(found) == {"full", "majority", "structured", "magnitude"}
    leaves = json.dumps(found, allow_nan=False)
    assert "NaN" not in leaves
    assert set(found["structured"]) == {
        "pruned", "retrained", "share_of_full", "sparsity", "jaccard",
    }  # fmt: skip


def test_a_missing_cell_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    experiment = ToyExperiment(tasks=("sst2",), seeds=(1, 2))
    with pytest.raises(UserError, match=r"sst2/3"):
        analysed(experiment, tmp_path, seeds=(1, 2, 3))
    assert not (tmp_path / "reports/tables").exists()


@given(st.floats(-1e6, 1e6), st.integers(0, 4))
def test_numbers_read_back(value: float, digits: int) -> None:
    text = wording.number(value, digits).replace(wording.MINUS, "-").replace(",", "")
    assert float(text) == pytest.approx(value, abs=0.5000001 * 10**-digits)


def test_a_zero_has_no_sign_and_a_p_is_never_zero() -> None:
    assert wording.number(-0.0001) == "0.000"
    assert wording.number(float("nan")) == wording.NONE
    assert wording.probability(0.00049) == "< 0.001"


def test_the_digest_of_the_lock_ignores_the_report_and_nothing_else(tmp_path: Path) -> None:
    def digest(text: str) -> str | None:
        (tmp_path / "dvc.lock").write_text(text, encoding="utf-8")
        return provenance.digest(tmp_path / "dvc.lock")

    plain = digest("stages:\n  prune: {md5: a}\n  report: {md5: b}\n")
    assert plain == digest("stages:\n  report: {md5: c}\n  prune: {md5: a}\n")
    assert plain != digest("stages:\n  prune: {md5: z}\n")
    assert provenance.digest(tmp_path / "nothing") is None


def test_times_are_those_of_this_pipeline_and_the_last_of_each_cell() -> None:
    took = [
        ("prune@sst2-1", 9), ("prune@sst2-1", 2), ("prune@sst2-5", 7), ("check", 1), ("report", 5), (None, 3),
    ]  # fmt: skip
    log = [{"stage": str(name).partition("@")[0], "name": name, "seconds": s} for name, s in took]
    found = {
        each.stage: (each.instances, each.seconds)
        for each in provenance.spent(log, ["prune@sst2-1", "check", "report"])
    }
    assert found == {"prune": (1, 2), "check": (1, 1)}
