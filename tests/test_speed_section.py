"""The report's section on size and speed: there if they were measured, and of this run's subnetworks."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from lottery.analysis.frames import rows
from lottery.report import markdown
from lottery.report.blocks import Number, Table
from lottery.report.material import Material
from lottery.report.report import compose
from lottery.report.sections.speed import speed
from lottery.tickets.methods import METHODS
from lottery.vocabulary import WHOLE
from lottery.wording import NONE
from tests.records import ToyExperiment
from tests.reports import blocks, material, open_part, reported, write

TITLE, SEED, PRUNABLE = "Size and speed", 2, 10**6
MS = {"lottery": 12.0, "transformers": 16.0, "onnxruntime": 9.0, "int8": 3.0}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    reported(ToyExperiment(tasks=("sarcasm", "stsb"), seeds=(1, SEED)), folder)
    return folder


@pytest.fixture(scope="module")
def toy(root: Path) -> Material:
    return material(root)


def measured(toy: Material) -> pd.DataFrame:
    """A table as `lottery measure` writes it: tickets are as many times faster as they have fewer weights."""
    searches = toy.tables["searches"]
    good = searches[searches["seed"] == SEED]
    models = [(row.task, row.method, "good", 1 - row.sparsity) for row in rows(good)]
    models += [(task, WHOLE, "full", 1.0) for task in toy.titles]
    return pd.DataFrame(
        {
            "task": task,
            "seed": SEED,
            "method": method,
            "kind": kind,
            "program": program,
            "batch": batch,
            "tokens": 9,
            "parameters": PRUNABLE,
            "prunable": PRUNABLE,
            "left": round(density * PRUNABLE),
            "multiply_adds": PRUNABLE,
            "bytes": 4 * PRUNABLE,
            "score": 0.8,
            "label_loyalty": 0.9,
            "rounds": 20,
            "machine": "an abacus",
            "probability_loyalty": float("nan") if task == "stsb" else 0.95,
            "ms": ms * density * batch,
            "fastest": 0.9 * ms,
            "slowest": 99.0 * ms,
        }
        for task, method, kind, density in models
        for program, ms in MS.items()
        for batch in (1, 32)
    )


def test_nothing_is_shown_that_was_not_measured(toy: Material) -> None:
    assert TITLE not in [section.title for section in compose(toy).sections]


def test_every_model_is_shown_with_the_time_of_every_program(toy: Material) -> None:
    document = compose(replace(toy, speed=measured(toy)))
    [section] = [section for section in document.sections if section.title == TITLE]
    overview = next(block for block in section.blocks if isinstance(block, Table))
    assert overview.header[-len(MS) :] == [*MS]
    assert len(overview.rows) == len(toy.titles) * (1 + len(METHODS))
    full = [row[-len(MS) :] for row in overview.rows if row[1] == NONE]
    assert [[entry.value for entry in row if isinstance(entry, Number)] for row in full] == [
        [*MS.values()]
    ] * len(toy.titles)
    text = markdown.render(replace(document, sections=[section]))
    assert "on one thread of an abacus" in text
    assert "nan" not in text


def test_the_text_says_how_much_faster_tickets_are(toy: Material) -> None:
    text = markdown.render(compose(replace(toy, speed=measured(toy))))
    searches = toy.tables["searches"]
    for method in METHODS.values():
        mine = searches[(searches["method"] == method.name) & (searches["seed"] == SEED)]
        gains = sorted({f"{1 / (1 - sparsity):.1f}" for sparsity in mine["sparsity"]}, key=float)
        assert f"{' to '.join(gains)} times as fast as full after {method.title}" in text


def test_the_open_part_still_fits_a_page(toy: Material) -> None:
    text = markdown.render(open_part(compose(replace(toy, speed=measured(toy)))))
    assert all(len(line) <= 120 for line in text.splitlines() if line.startswith("|"))


@pytest.mark.parametrize("column", ["left", "seed"])
def test_a_table_of_other_subnetworks_is_not_shown(toy: Material, column: str) -> None:
    other = measured(toy)
    other[column] //= 3
    shown = list(speed(replace(toy, speed=other)))
    assert len(shown) == 1
    document = compose(replace(toy, speed=other))
    assert "measures again" in markdown.render(document)
    assert not any("multiply-adds" in str(block) for block in blocks(document))


def test_the_stage_reads_the_table_where_it_is(toy: Material, root: Path) -> None:
    measured(toy).to_csv(root / "reports" / "speed.csv", index=False)
    assert f"## {TITLE}" not in (root / "reports" / "report.md").read_text("utf-8")
    write(root)
    assert f"## {TITLE}" in (root / "reports" / "report.md").read_text("utf-8")
