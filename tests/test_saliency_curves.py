"""Areas, lasting sparsities and rank correlations of saliencies, on curves that are known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery.analysis import saliency_curves
from lottery.analysis.experiments import Experiment
from lottery.report import markdown, saliencies
from lottery.report.blocks import Document


def experiment(saliency: str, slope: float, order: int) -> Experiment:
    """A run of one task and two seeds whose score falls on a straight line from 1 to 1 - slope, guessing is 0."""
    steps = [(seed, step, step / 10) for seed in (1, 2) for step in range(11)]
    curves = pd.DataFrame(steps, columns=["seed", "step", "sparsity"]).assign(
        task="sst2", method="structured", phase="both", full_score=1.0, guess=0.0
    )
    curves["score"] = 1 - slope * curves["sparsity"]
    heads = pd.DataFrame({"layer": 0, "index": range(5), "unit": "heads", "task": "sst2"})
    rankings = pd.concat([heads.assign(seed=seed) for seed in (1, 2)], ignore_index=True)
    rankings["importance"] = order * rankings["index"]
    cells = pd.DataFrame({"task": "sst2", "seed": [1, 2, 3], "sound": [True, True, False]})
    tables = {"curves": curves, "rankings": rankings, "cells": cells}
    return Experiment(saliency, "f" * 9, {"importance": {"saliency": saliency}}, tables, {})


def test_measures_of_straight_lines() -> None:
    runs = [experiment("gate", 0.5, 1), experiment("random", 1.0, -1)]
    means = saliency_curves.measures(runs).set_index(["run", "measure"])["mean"]
    assert means["gate", "area"] == pytest.approx(0.75)
    assert means["random", "area"] == pytest.approx(0.5)
    assert means["gate", "sparsity"] == pytest.approx(0.2)
    assert means["random", "sparsity"] == pytest.approx(0.1)
    assert means["gate", "spearman"] == pytest.approx(1)
    assert means["random", "spearman"] == pytest.approx(-1)


def test_the_section_is_there_if_saliencies_differ_and_not_otherwise() -> None:
    runs = [experiment("gate", 0.5, 1), experiment("random", 1.0, -1)]
    text = markdown.render(Document("", [], saliencies.sections(runs)))
    assert "| s-pruning" in text
    assert "1 + 1" in text
    assert not saliencies.sections([runs[0], runs[0]])


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=9), st.floats(0, 1))
def test_a_constant_curve_has_its_value_as_area_and_lasts_to_the_end(
    widths: list[float], value: float
) -> None:
    removed = np.cumsum(widths)
    kept = np.full(len(removed), value)
    assert saliency_curves.area(removed, kept) == pytest.approx(value)
    assert saliency_curves.lasting(removed, np.ones(len(removed))) == removed[-1]
    assert np.isnan(saliency_curves.lasting(removed, np.zeros(len(removed))))
