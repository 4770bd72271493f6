"""Tables, section and figure of rewinding."""

import re
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest

from lottery.analysis import rewinding as analysis
from lottery.analysis.frames import rows
from lottery.grid import GridParameters
from lottery.params import Sections
from lottery.report import markdown
from lottery.report.blocks import Document
from lottery.report.figures.rewinding import MARKS, rewinding_panels
from lottery.report.material import Material
from lottery.report.provenance import Provenance, Spent
from lottery.report.sections import rewinding as section
from lottery.tickets import rewinding_controls
from lottery.tickets.parameters import RewindParameters
from lottery.tickets.rewound import CONTROLS

PARAMETERS = RewindParameters(
    tasks=(), seeds=(), rate=0.2, until=0.6, step=0, controls=(0.4,), draws=2
)
TASKS = pd.DataFrame({"task": ["sst2"], "title": ["SST-2"], "metric": ["accuracy"]})


def toy_scores(gains: dict[str, float]) -> pd.DataFrame:
    """Scores of two tasks and four seeds: 0.9 for the full model, for masks at 0.5 as much more as `gains` says."""
    rng = np.random.default_rng(0)
    values = [
        (task, seed, control, 0, sparsity, "dev", "accuracy", 0.9 + gain + noise, 100)
        for task in ("sst2", "rte")
        for seed in range(4)
        for control, sparsity, gain in (
            ("rewound", 0.0, 0.0),
            *((control, 0.5, gain) for control, gain in gains.items()),
        )
        for noise in [0.01 * rng.normal()]
    ]
    columns = [
        "task", "seed", "control", "draw", "sparsity", "split", "metric", "value", "n",
    ]  # fmt: skip
    return pd.DataFrame(values, columns=columns)


def made(scores: pd.DataFrame, unsound: str = "") -> dict[str, pd.DataFrame]:
    """The tables of scores whose cells are sound, but for those of a task."""
    cells = scores[["task", "seed"]].drop_duplicates()
    return analysis.tables(scores, cells.assign(sound=cells["task"] != unsound))


def test_a_mask_matches_wins_and_differs_from_its_controls_as_declared() -> None:
    gains = {"rewound": 0.0, "random": -0.3, "reinitialised": -0.3, "one-shot": 0.0}
    tables = made(toy_scores(gains))
    means = {(row.task, row.sparsity, row.control): row for row in rows(tables["rewinding"])}
    full, rewound = means["sst2", 0.0, "rewound"], means["sst2", 0.5, "rewound"]
    assert rewound.matches == (rewound.mean >= full.mean - full.std)
    assert rewound.wins == rewound.matches
    assert not means["sst2", 0.5, "random"].matches
    differences = {row.control: row for row in rows(tables["rewinding-differences"])}
    assert differences["random"].low > 0.25
    assert differences["one-shot"].low < 0 < differences["one-shot"].high
    for row in differences.values():
        assert row.low < row.mean < row.high
        assert row.cells == 8
    worse = made(toy_scores({**gains, "rewound": -0.5}))
    assert next(rows(worse["rewinding-differences"])).high < 0
    assert analysis.sparsest(worse["rewinding"], "matches", "sst2") is None


def test_intervals_are_cut_at_what_an_accuracy_cannot_exceed() -> None:
    wide = made(toy_scores({}).assign(value=lambda rows: rows["seed"] % 2))["rewinding"]
    assert wide[["low", "mean", "high"]].drop_duplicates().to_numpy().tolist() == [[0, 0.5, 1]]


def test_a_single_seed_says_nothing_about_matching() -> None:
    scores = toy_scores({"rewound": 0.0, "random": -0.3, "reinitialised": -0.3})
    means = made(scores[scores["seed"] == 0])["rewinding"]
    assert means["matches"].isna().all()
    assert means["wins"].isna().all()


def test_cells_that_are_not_sound_are_in_no_table() -> None:
    scores = toy_scores({"rewound": 0.02, "random": -0.3, "reinitialised": -0.3})
    tables = made(scores, unsound="rte")
    assert set(tables["rewinding"]["task"]) == {"sst2"}
    assert set(tables["rewinding-differences"]["cells"]) == {4}
    alone = made(scores[scores["task"] == "rte"], unsound="rte")
    assert [len(table) for table in alone.values()] == [0, 0]


def test_a_run_that_rewinds_nothing_has_no_tables() -> None:
    grid = GridParameters(tasks=("sst2",), seeds=(1,), shares=(1,))
    assert not made(analysis.gather(grid, PARAMETERS, Path("nowhere")))


def provenance() -> Provenance:
    times = {"finetune": 10.0, "prune": 15.0, "rewind": 80.0}
    spent = [Spent(stage, 2, seconds, seconds, seconds) for stage, seconds in times.items()]
    return Provenance(None, False, None, {}, "", spent)


def test_the_report_says_which_masks_match_and_win() -> None:
    gains = {"rewound": 0.02, "random": -0.3, "reinitialised": -0.3}
    titles = pd.DataFrame(
        {"task": ["sst2", "rte"], "title": ["SST-2", "RTE"], "metric": ["accuracy", "accuracy"]}
    )
    tables = {"tasks": titles, **made(toy_scores(gains))}
    parameters = Sections([msgspec.structs.replace(PARAMETERS, step=20)])
    material = Material(tables, {}, parameters, "figures", provenance(), None)
    text = markdown.render(Document("", list(section.rewinding(material)), []))
    assert "those after 20 steps" in text
    assert "takes 3 trainings, and those of the controls: 40 core-seconds together" in text
    assert re.search(r"\| SST-2 +\| +50 % +\| +50 % +\|", text)
    assert re.search(r"\| random masks +\| +50 % +\| +0\.3\d\d \[.*\| +8 \|", text)
    without = replace(material, tables={"tasks": titles})
    assert not list(section.rewinding(without))


def scores(seeds: int) -> pd.DataFrame:
    """Accuracies of two rounds and of a random mask."""
    values = {("rewound", 0.0): 0.9, ("rewound", 0.5): 0.8, ("random", 0.5): 0.6}
    rows = [
        ("sst2", seed, control, 0, sparsity, "dev", "accuracy", value + 0.01 * seed, 100)
        for (control, sparsity), value in values.items()
        for seed in range(seeds)
    ]
    columns = ["task", "seed", "control", "draw", "sparsity", "split", "metric", "value", "n"]
    return pd.DataFrame(rows, columns=columns)


def test_every_control_has_a_mark() -> None:
    assert set(MARKS) == {control.name for control in CONTROLS} == set(rewinding_controls.MASKS)


@pytest.mark.parametrize("seeds", [1, 3])
def test_lines_and_points_are_the_means_of_the_table(seeds: int) -> None:
    means = made(scores(seeds))["rewinding"]
    (axes,) = rewinding_panels(means, TASKS).axes
    lines = {line.get_label(): line for line in axes.get_lines()}
    mean = means.set_index(["control", "sparsity"])["mean"]
    rounds = lines["iterative"]
    assert np.asarray(rounds.get_xdata()).tolist() == [0, 0.5]
    assert np.asarray(rounds.get_ydata()).tolist() == pytest.approx([*mean["rewound"]])
    assert ("matches above" in lines) == (seeds > 1)
    (points,) = axes.containers
    assert [*points[0].get_ydata()] == pytest.approx([mean["random", 0.5]])
