"""Lines between two trainings: their ends are the trainings, their weights a plain loop's; killed ones resume."""

from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lottery import params, records
from lottery.analysis import connectivity as analysis
from lottery.analysis import score_tables
from lottery.data import examples
from lottery.grid import GridParameters
from lottery.model.evaluation import predict
from lottery.model.training import finetune
from lottery.runtime.resume import Journal
from lottery.schemas import Score
from lottery.ticket import Key
from lottery.tickets import interpolation, retraining
from lottery.tickets.connectivity import ConnectivityParameters, ConnectivityScore
from lottery.tickets.interpolation import Connectivity, interpolated
from lottery.verification import connectivity as verification
from stages import connectivity as stage
from stages.shell import cells
from tests import toy_run

PARAMETERS = ConnectivityParameters(
    tasks=("rte",), seeds=(1,), kinds=("full", "good", "random", "bad"), points=5
)
GRID = GridParameters(tasks=("rte",), seeds=(1, 2), shares=(1,))
GOOD = {method: Key(method, "good") for method in ("structured", "magnitude")}


def silent(done: int, total: int) -> None:
    """No progress is shown."""


@pytest.fixture
def inside(copy: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run, of whose first seed weights are kept."""
    monkeypatch.chdir(copy)
    monkeypatch.setattr("lottery.runtime.parallel.worker_count", lambda _: 1)
    path = copy / "params.yaml"
    text = path.read_text("utf-8")
    old = (
        "connectivity:\n  tasks: []\n  seeds: []\n  kinds: [full, good, random, bad]\n  points: 11"
    )
    assert old in text
    new = old.replace("tasks: []", "tasks: [rte]").replace("seeds: []", "seeds: [1]")
    path.write_text(text.replace(old, new.replace("11", "5")), "utf-8")
    return copy


def inputs_of(seed: int) -> Connectivity:
    data, cell_folder = Path(f"data/rte/{seed}"), Path("rte", str(seed))
    return Connectivity(
        cells.cell("rte", seed, data, Path("encoder")),
        interpolation.load_subnetworks("subnetworks" / cell_folder, "rte", seed, PARAMETERS),
        "models" / cell_folder,
        "tickets" / cell_folder,
        PARAMETERS,
        examples.load(data / "dev.safetensors"),
    )


@given(st.integers(0, 99), st.floats(0, 1))
def test_interpolated_weights_equal_a_plain_loop(seed: int, position: float) -> None:
    stream = torch.Generator().manual_seed(seed)
    first, second = (
        {name: torch.randn(7, 5, generator=stream) for name in ("a", "b")} for _ in range(2)
    )
    second["b"] = first["b"].clone()
    between = interpolated(first, second, position)
    for name in first:
        for row in range(7):
            for column in range(5):
                a, b = float(first[name][row, column]), float(second[name][row, column])
                expected = (1 - position) * a + position * b
                assert float(between[name][row, column]) == pytest.approx(expected, abs=1e-6)
    assert torch.equal(between["b"], first["b"])
    for end, weights in ((0.0, first), (1.0, second)):
        for name, weight in interpolated(first, second, end).items():
            assert torch.equal(weight, weights[name])


def test_a_line_goes_from_the_retrained_ticket_to_one_of_another_order(inside: Path) -> None:
    """Kept or not, its first end is the retraining; every weight that trains is interpolated."""
    for seed, kept in ((1, True), (2, False)):
        inputs, key = inputs_of(seed), GOOD["magnitude"]
        assert (inputs.trained(key) is not None) == kept
        line = interpolation.line(silent, inputs, key)
        cell, ends = inputs.cell, []
        for train in (cell.train, interpolation.reordered(cell).train):
            encoder, mask = retraining.pretrained(cell), inputs.subnetworks[key]
            finetune(encoder, train, cell.task, cell.recipe, seed, mask)
            ends.append(encoder)
        changed = {
            name
            for name, weight in ends[0].state_dict().items()
            if not torch.equal(weight, ends[1].state_dict()[name])
        }
        assert {
            "classifier.weight",
            "layers.0.mlp_norm.weight",
            "embeddings.words.weight",
        } <= changed
        between = retraining.pretrained(cell)
        with torch.no_grad():
            for weight, first, second in zip(
                *(encoder.parameters() for encoder in (between, *ends)), strict=True
            ):
                weight.copy_(0.25 * second + 0.75 * first)
        logits_NC = [line[name] for name in ("0.0", "0.25", "1.0")]
        for encoder, of_line in zip((ends[0], between, ends[1]), logits_NC, strict=True):
            expected = predict(encoder.eval(), inputs.dev).astype(np.float16)
            np.testing.assert_allclose(of_line, expected, atol=0 if encoder in ends else 4e-3)
        assert not np.array_equal(logits_NC[0], logits_NC[2])


def test_another_order_has_the_same_examples(inside: Path) -> None:
    train, other = inputs_of(1).cell.train, interpolation.reordered(inputs_of(1).cell).train
    starts = [np.cumsum(split.lengths_N) - split.lengths_N for split in (train, other)]
    texts = [
        [tuple(split.ids_T[at : at + n]) for at, n in zip(start, split.lengths_N, strict=True)]
        for split, start in zip((train, other), starts, strict=True)
    ]
    assert texts[0] != texts[1]
    assert sorted(texts[0]) == sorted(texts[1])


def test_a_killed_line_trains_nothing_twice(
    inside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs, key, journal = inputs_of(2), GOOD["structured"], Journal(tmp_path / "notes", patience=0)
    trained: list[object] = []
    train = retraining.finetune_cell

    def counted(*arguments: object) -> object:
        trained.append(arguments)
        return train(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(interpolation, "finetune_cell", counted)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(interpolation, "_predict", killed)
        with pytest.raises(KeyboardInterrupt):
            interpolation.line(silent, inputs, key, journal)
    assert len(trained) == 2
    resumed = interpolation.line(silent, inputs, key, journal)
    assert len(trained) == 2
    whole = interpolation.line(silent, inputs, key)
    assert len(trained) == 4
    again = interpolation.line(silent, inputs, key, journal)
    assert len(trained) == 4
    for name, logits_NC in whole.items():
        np.testing.assert_array_equal(resumed[name], logits_NC)
        np.testing.assert_array_equal(again[name], logits_NC)
    assert {file.name for file in (tmp_path / "notes").rglob("*") if file.is_file()} == {
        "line.safetensors"
    }


def test_the_stage_scores_every_point_and_verification_agrees(inside: Path) -> None:
    out = Path("scores/rte/1/connectivity.parquet")
    cell = Path("rte/1")
    inputs = ("models" / cell, "subnetworks" / cell, "tickets" / cell)
    stage.main("rte", 1, "data" / cell, Path("encoder"), *inputs, out)
    scores = records.structs(ConnectivityScore, records.read(ConnectivityScore, [out]))
    assert len(scores) == 7 * 5
    assert not findings(inside)
    tables = analysis.tables(*measured(inside))
    lines = tables["connectivity"]
    assert len(lines) == 7
    assert (lines["barrier"] >= 0).all()
    full = lines.set_index("kind").loc["full"]
    assert full["first"] == 1
    changed = [
        msgspec.structs.replace(score, value=score.value - 0.5)
        if (score.kind, score.method, score.position) == ("bad", "structured", 0)
        else score
        for score in scores
    ]
    records.write(ConnectivityScore, changed, out)
    assert "the line of structured bad begins with" in str(findings(inside))
    records.write(ConnectivityScore, scores[1:], out)
    assert "0 scores of a point that has 1" in str(findings(inside))


def measured(run: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    points = analysis.gather(GRID, PARAMETERS, run / "scores")
    scores = records.read_cells(Score, GRID.cells, run / "scores", *GRID.score_files).to_pandas()
    cells = score_tables.cells(scores, GRID.tasks)
    return points, scores, cells.assign(usable=True, reason="")


def findings(run: Path) -> list[str]:
    parameters = params.section(ConnectivityParameters, params.read(run / "params.yaml"))
    checked = verification.connected(toy_run.run(run), parameters, 0.0)
    return [finding for finding in checked if finding is not None]
