"""Figures of experiments of every shape: small files, whose bytes depend on the numbers alone."""

from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from typing import get_args

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text

from lottery.analysis import frames
from lottery.analysis.claims import PRIMARY
from lottery.analysis.hypotheses import Unit
from lottery.analysis.verdicts import Verdict
from lottery.report import clauses
from lottery.report.figures import style
from lottery.report.figures.curves import search_curves
from lottery.report.figures.fan import fan
from lottery.report.figures.forest import forest
from lottery.report.figures.overlap import overlap_matrices
from lottery.report.figures.scoreboard import scoreboard
from lottery.report.figures.scores import score_panels
from lottery.report.figures.survival import RAMP, survival_maps
from lottery.tickets.methods import MAGNITUDE, METHODS, STRUCTURED
from tests.records import ToyExperiment, analysed

SHAPES = {
    "one cell": ToyExperiment(tasks=("stsb",), seeds=(7,), draws=1),
    "default": ToyExperiment(),
    "nine tasks": ToyExperiment(
        tasks=("cola", "sst2", "mrpc", "stsb", "qqp", "mnli", "qnli", "rte", "wnli"),
        seeds=(1, 2),
        layers=12,
        degenerate=("wnli",),
    ),
}


def read(experiment: ToyExperiment, root: Path) -> dict[str, pd.DataFrame]:
    analysed(experiment, root)
    return frames.Tables(root / "reports/tables")


def draw(tables: Mapping[str, pd.DataFrame]) -> dict[str, Figure]:
    tasks, components, claims = tables["tasks"], tables["survival"], tables["verdicts"]
    at_own_size = tables["overlap"][tables["overlap"]["matched"].isna()]
    return {
        "fan": fan(tables),
        "scoreboard": scoreboard(tables, clauses.names(claims)),
        "forest": forest(claims, clauses.names(claims)),
        "scores": score_panels(tables["cells"], tasks),
        "curves": search_curves(tables["curves"], tasks),
        "heads": survival_maps(components[components["method"] == STRUCTURED.name], tasks, False),
        "weights": survival_maps(components[components["method"] == MAGNITUDE.name], tasks, True),
        "overlap": overlap_matrices(at_own_size, tasks),
    }


@pytest.fixture(scope="module")
def one_cell(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    return read(SHAPES["one cell"], tmp_path_factory.mktemp("charts"))


@pytest.mark.parametrize("shape", SHAPES)
def test_figures_of_every_shape_are_small_files(shape: str, tmp_path: Path) -> None:
    for name, figure in draw(read(SHAPES[shape], tmp_path)).items():
        style.save(figure, tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size < 200_000


def test_same_numbers_give_same_bytes_in_any_style_of_the_user(
    one_cell: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    tables = one_cell
    for name, figure in draw(tables).items():
        style.save(figure, tmp_path / f"{name}.png")
    with mpl.rc_context({"figure.facecolor": "black", "font.size": 20}):
        again = draw(tables)
    for name, figure in again.items():
        style.save(figure, tmp_path / "again.png")
        drawn = (tmp_path / f"{name}.png").read_bytes()
        assert drawn == (tmp_path / "again.png").read_bytes()
        assert not any(word in drawn for word in (b"tEXt", b"tIME", b"atplotlib"))
        assert imread(tmp_path / "again.png")[0, 0, :3].tolist() == [1, 1, 1]


def test_every_verdict_is_drawn_whatever_is_missing(
    one_cell: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    tables = one_cell
    words = cycle(get_args(Verdict))
    claims = tables["verdicts"]
    every = claims.assign(
        verdict=[next(words) for _ in range(len(claims))],
        effect=0.1,
        low=0.0,
        high=0.2,
        detectable=0.3,
    )
    for verdicts in (every, every.assign(effect=np.nan, low=np.nan, high=np.nan)):
        drawn = scoreboard({**tables, "verdicts": verdicts}, {}), forest(verdicts, {})
        for figure in drawn:
            style.save(figure, tmp_path / "drawn.png")
            shown = " ".join(text.get_text() for text in figure.findobj(Text))
            assert "reproduced" in shown
            assert "undecided (0.30)" in shown


def test_fan_without_usable_masks_says_so(one_cell: dict[str, pd.DataFrame]) -> None:
    empty = {name: one_cell[name].iloc[:0] for name in ("draws", "cells")}
    nothing = {**one_cell, **empty}
    shown = [text.get_text() for text in fan(nothing).findobj(Text)]
    assert shown.count("no usable cell") == 2 * len(METHODS)


def test_a_figure_has_panels() -> None:
    with pytest.raises(ValueError, match="without panels"):
        style.panels(0, 1, 1)


def test_units_and_clauses_have_words() -> None:
    assert set(clauses.UNITS) == set(get_args(Unit))
    primary = {claim.clause for claim in PRIMARY}
    assert primary == set(clauses.CLAUSES) == set(clauses.SENTENCES) == set(clauses.EFFECTS)


@pytest.mark.parametrize("ramp", RAMP.values())
def test_ramps_darken_in_greyscale(ramp: str) -> None:
    colours = mpl.colormaps[ramp](np.linspace(0, 1, 64))[:, :3]
    assert (np.diff(colours @ [0.299, 0.587, 0.114]) < 0).all()
