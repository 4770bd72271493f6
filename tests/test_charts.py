"""Figures of experiments of every shape: small files, whose bytes depend on the numbers alone."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from lottery.analysis import frames
from lottery.report.figures import style
from lottery.report.figures.curves import search_curves
from lottery.report.figures.overlap import overlap_matrices
from lottery.report.figures.scores import score_panels
from lottery.report.figures.survival import RAMP, survival_maps
from lottery.tickets.methods import MAGNITUDE, STRUCTURED
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
    return {path.stem: frames.load(path) for path in (root / "reports/tables").glob("*.csv")}


def draw(tables: Mapping[str, pd.DataFrame]) -> dict[str, Figure]:
    tasks, components = tables["tasks"], tables["survival"]
    return {
        "scores": score_panels(tables["cells"], tasks),
        "curves": search_curves(tables["curves"], tasks),
        "heads": survival_maps(components[components["method"] == STRUCTURED.name], tasks, False),
        "weights": survival_maps(components[components["method"] == MAGNITUDE.name], tasks, True),
        "overlap": overlap_matrices(tables["overlap"], tasks),
    }


@pytest.mark.parametrize("shape", SHAPES)
def test_figures_of_every_shape_are_small_files(shape: str, tmp_path: Path) -> None:
    for name, figure in draw(read(SHAPES[shape], tmp_path)).items():
        style.save(figure, tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size < 200_000


def test_same_numbers_give_same_bytes_in_any_style_of_the_user(tmp_path: Path) -> None:
    tables = read(SHAPES["one cell"], tmp_path)
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


@pytest.mark.parametrize("ramp", RAMP.values())
def test_ramps_darken_in_greyscale(ramp: str) -> None:
    colours = mpl.colormaps[ramp](np.linspace(0, 1, 64))[:, :3]
    assert (np.diff(colours @ [0.299, 0.587, 0.114]) < 0).all()
