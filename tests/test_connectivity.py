"""Barriers are as defined, tickets are ranked within their cell, and the report shows both or nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery.analysis import connectivity as analysis
from lottery.grid import GridParameters
from lottery.metrics import spearman
from lottery.params import Sections
from lottery.report import markdown
from lottery.report.blocks import Document
from lottery.report.figures.connectivity import connectivity_panels
from lottery.report.material import Material
from lottery.report.provenance import Provenance
from lottery.report.sections import connectivity as section
from lottery.ticket import FULL
from lottery.tickets.connectivity import ConnectivityParameters, ConnectivityScore
from lottery.tickets.methods import METHODS

PARAMETERS = ConnectivityParameters(
    tasks=("rte",), seeds=(1,), kinds=("full", "good", "random", "bad"), points=5
)
OFF = msgspec.structs.replace(PARAMETERS, tasks=(), seeds=())
GRID = GridParameters(tasks=("rte",), seeds=(1, 2), shares=(1,))


def made_up(
    values: Mapping[tuple[str, str], tuple[float, ...]], unusable: str = "nothing"
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Lines of RTE with three seeds, of which each scores a little more; guessing has 0.5, the full model 0.9."""
    tickets = {**values, ("full", "majority"): (0.5,)}
    points, scores, cells = [], [], []
    for seed in range(3):
        for (method, kind), line in tickets.items():
            identity = {"task": "rte", "seed": seed, "method": method, "kind": kind}
            metric = {"split": "dev", "metric": "accuracy", "n": 100}
            for position, value in zip(np.linspace(0, 1, len(line)), line, strict=True):
                if kind != "majority":
                    shift = 0.01 * seed if kind != "full" else 0.0
                    points.append(
                        {**identity, "position": position, "value": value + shift, **metric}
                    )
            whole = method == "full"
            state = "finetuned" if whole else "retrained"
            scores.append({**identity, "state": state, "value": line[0], **metric})
            usable = kind != unusable
            reason = "" if usable else "kept-nothing"
            cells.append({**identity, "matched": np.nan, "usable": usable, "reason": reason})
    columns = ConnectivityScore.__struct_fields__
    return pd.DataFrame(points)[[*columns]], pd.DataFrame(scores), pd.DataFrame(cells)


LINES: Mapping[tuple[str, str], tuple[float, ...]] = {
    ("full", "full"): (0.9, 0.9, 0.9),
    ("structured", "good"): (0.86, 0.78, 0.82),
    ("structured", "random"): (0.8, 0.6, 0.8),
    ("structured", "bad"): (0.7, 0.5, 0.6),
}


def test_barriers_are_the_highest_error_less_the_mean_of_the_ends() -> None:
    lines = analysis.tables(*made_up(LINES))["connectivity"]
    by_kind = lines[lines["seed"] == 0].set_index("kind")
    expected = {"full": 0.0, "good": 0.06 / 0.4, "random": 0.2 / 0.4, "bad": 0.15 / 0.4}
    assert by_kind["barrier"].to_dict() == pytest.approx(expected)
    assert by_kind["first"].to_dict() == pytest.approx(
        {"full": 1.0, "good": 0.9, "random": 0.75, "bad": 0.5}
    )
    assert by_kind["at"].to_dict() == {"full": 0.0, "good": 0.5, "random": 0.5, "bad": 0.5}
    assert by_kind["room"].to_dict() == pytest.approx(dict.fromkeys(expected, 0.4))


@given(st.lists(st.floats(0, 1), min_size=3, max_size=12))
def test_a_barrier_is_never_negative_and_0_between_equal_models(values: list[float]) -> None:
    frame = pd.DataFrame(
        {
            "task": "rte", "seed": 1, "method": "structured", "kind": "good", "guess": 0.0, "full": 1.0,
            "position": np.linspace(0, 1, len(values)), "share": values,
        }
    )  # fmt: skip
    shuffled = frame.sample(frac=1, random_state=0)
    assert analysis.barriers(shuffled)["barrier"][0] >= 0
    assert analysis.barriers(frame.assign(share=values[0]))["barrier"][0] == 0


def test_a_constant_prediction_of_a_correlation_counts_as_a_guess() -> None:
    points, scores, cells = made_up(
        {("full", "full"): (0.9, 0.9, 0.9), ("structured", "good"): (0.8, np.nan, 0.8)}
    )
    points, scores, cells = (
        frame.assign(task="stsb", **({"metric": "pearson"} if "metric" in frame else {}))
        for frame in (points, scores, cells)
    )
    lines = analysis.tables(points, scores, cells)["connectivity"]
    good = lines[(lines["kind"] == "good") & (lines["seed"] == 0)]
    assert good["lowest"].tolist() == [0.0]
    assert good["barrier"].tolist() == pytest.approx([0.8 / 0.9])


def test_tickets_are_ranked_within_their_cell_and_unusable_ones_are_left_out() -> None:
    tables = analysis.tables(*made_up(LINES))
    ranks = tables["connectivity-ranks"].set_index("method")
    expected = spearman(np.array([0.0, 0.15, 0.5, 0.375]), np.array([1.0, 0.9, 0.75, 0.5]))
    assert ranks.loc["structured", "mean"] == pytest.approx(expected)
    assert [*ranks.loc["all", ["cells", "tickets", "tasks"]]] == [3, 12, 1]
    without = analysis.tables(*made_up(LINES, unusable="bad"))
    assert set(without["connectivity-path"]["kind"]) == {"full", "good", "random"}
    assert without["connectivity-ranks"].set_index("method").loc["all", "tickets"] == 9
    assert len(without["connectivity"]) == 12


@pytest.mark.parametrize("seed", range(5))
def test_intervals_contain_no_impossible_value(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = [("full", "full"), *(("structured", kind) for kind in ("good", "random", "bad"))]
    rows = [
        ("rte", cell, *name, rng.random() * 0.1 ** rng.integers(3), *rng.random(2))
        for cell in range(3)
        for name in names
    ]
    usable = pd.DataFrame(rows, columns=[*analysis.LINE, "barrier", "first", "second"])
    assert (analysis.means(usable)["low"] >= 0).all()
    correlations = analysis.ranks(usable)[["low", "mean", "high"]]
    assert correlations.abs().le(1).to_numpy().all()
    assert correlations.T.apply(lambda row: row.is_monotonic_increasing).all()


def material(tables: Mapping[str, pd.DataFrame]) -> Material:
    titles = pd.DataFrame({"task": ["rte"], "title": ["RTE"], "metric": ["accuracy"]})
    provenance = cast(Provenance, None)
    return Material({"tasks": titles, **tables}, {}, Sections([PARAMETERS]), "figures", provenance)


def test_the_report_shows_barriers_or_nothing() -> None:
    tables = analysis.tables(*made_up(LINES, unusable="bad"))
    shown = material(tables)
    text = markdown.render(Document("", list(section.connectivity(shown)), []))
    assert "figures/connectivity.png" in text
    assert "at 5 points" in text
    assert "Left out: 3 tickets of RTE (keeps less than 5 % of the weights)." in text
    figure = connectivity_panels(tables["connectivity-path"], shown.tasks)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["RTE: s-pruning"]
    full = analysis.tables(*made_up({("full", "full"): (0.9, 0.8, 0.9)}))
    assert list(section.connectivity(material(full)))
    figure = connectivity_panels(full["connectivity-path"], shown.tasks)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["RTE"]
    assert not list(section.connectivity(material({})))
    assert not analysis.tables(
        analysis.gather(GRID, OFF, Path("nowhere")), pd.DataFrame(), pd.DataFrame()
    )


def test_keys_are_the_tickets_of_all_methods_and_positions_are_even() -> None:
    assert PARAMETERS.keys[0] == FULL
    assert {key.method for key in PARAMETERS.keys} == {"full", *METHODS}
    assert len(PARAMETERS.keys) == 7
    assert PARAMETERS.positions == (0.0, 0.25, 0.5, 0.75, 1.0)
    assert PARAMETERS.cells(GRID) == (("rte", 1),)
    assert OFF.cells(GRID) == ()
