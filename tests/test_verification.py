"""Checks of a finished run: an unchanged run passes, and whatever is changed in it is reported."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lottery import records, subnetwork
from lottery.errors import UserError
from lottery.schemas import Prediction, Score, StepRecord
from lottery.subnetwork import Subnetwork
from lottery.tickets.methods import METHODS
from lottery.verification import counts, recompute, scored
from lottery.verification.run import CellOutputs, Findings
from tests import toy_run
from tests.toy_run import SEEDS

Change = Callable[[pd.DataFrame], pd.DataFrame]
CHECKS: dict[str, Callable[[CellOutputs], Findings]] = {
    "predictions": scored.predictions,
    "scores": scored.scores,
    "sizes": counts.sizes,
    "steps": counts.steps,
    "draws": recompute.draws,
    "searches": partial(recompute.searches, tolerance=0),
    "pruned scores": partial(recompute.pruned_scores, tolerance=0),
}
GOODS = [(method, "good") for method in METHODS]
MATCHED = [(method, "good-0.5") for method in METHODS] + [("magnitude", "pretrained-0.5")]
CONTROLS = [(method, name) for method in METHODS for name in ("random-0", "bad-0")]


@pytest.fixture
def copy(finished_run: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished_run, tmp_path / "run")
    return tmp_path / "run"


def problems(root: Path, *checks: str) -> list[str]:
    """Findings of the named checks, or of all of them, about a run."""
    return [
        problem
        for cell in toy_run.run(root).cells
        for name in checks or CHECKS
        for problem in problems_of_cell(cell, name)
    ]


def problems_of_cell(cell: CellOutputs, check: str) -> Iterator[str]:
    try:
        yield from (problem for problem in CHECKS[check](cell) if problem is not None)
    except UserError as error:
        yield str(error)


def test_an_unchanged_run_passes_all_checks(finished_run: Path) -> None:
    assert not problems(finished_run)
    for cell in toy_run.run(finished_run).cells:
        for name, check in CHECKS.items():
            assert list(check(cell)), f"{name} compares nothing"


def resave(path: Path, change: Callable[[Subnetwork], Subnetwork]) -> None:
    kept, identity = subnetwork.load(path)
    change(kept).save(path, **identity)


@settings(max_examples=30)
@given(
    data=st.data(), seed=st.sampled_from(SEEDS), ticket=st.sampled_from(GOODS + MATCHED + CONTROLS)
)
def test_a_flipped_bit_in_any_ticket_is_reported(
    finished_run: Path,
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    seed: int,
    ticket: tuple[str, str],
) -> None:
    copy, (method, name) = tmp_path_factory.mktemp("flipped") / "run", ticket
    shutil.copytree(finished_run, copy)
    path = copy / "subnetworks" / "rte" / str(seed) / method / f"{name}.safetensors"

    def flip(kept: Subnetwork) -> Subnetwork:
        bits = kept.flat.copy()
        bits[data.draw(st.integers(0, len(bits) - 1))] ^= True
        return Subnetwork.unflatten(kept.shapes, bits)

    resave(path, flip)
    reported = problems(copy, "sizes", "steps")
    assert reported
    assert all(method in problem for problem in reported)
    shutil.rmtree(copy)


def swap_two_components(kept: Subnetwork) -> Subnetwork:
    """A subnetwork of the same size."""
    part = next(iter(kept))
    bits = kept[part].copy()
    on, off = np.argwhere(bits)[0], np.argwhere(~bits)[0]
    bits[tuple(on)], bits[tuple(off)] = False, True
    return Subnetwork({**kept, part: bits})


@pytest.mark.parametrize(("method", "name"), CONTROLS)
def test_another_draw_of_the_same_size_is_reported(copy: Path, method: str, name: str) -> None:
    resave(copy / "subnetworks/rte/1" / method / f"{name}.safetensors", swap_two_components)
    ticket = f"{method} {name.replace('-', ' ')}"
    message = f"{ticket} is not what the seed draws"
    assert any(message in problem for problem in problems(copy, "draws"))


@pytest.mark.parametrize("name", ["good", "good-0.5", "pretrained-0.5"])
def test_a_ticket_that_prunes_larger_weights_than_it_keeps_is_reported(
    copy: Path, name: str
) -> None:
    resave(copy / f"subnetworks/rte/1/magnitude/{name}.safetensors", swap_two_components)
    assert any("prunes a weight of" in problem for problem in problems(copy, "draws"))


def test_a_matched_ticket_that_is_no_step_of_its_search_is_reported(copy: Path) -> None:
    resave(copy / "subnetworks/rte/1/structured/good-0.5.safetensors", lambda kept: ~kept)
    label = "structured search, structured good at sparsity 0.5: sparsity is"
    assert any(label in problem for problem in problems(copy, "searches"))


def rewrite(kind: Any, path: Path, change: Change) -> None:
    changed = change(records.read(kind, [path]).to_pandas()).to_dict("records")
    rows = [
        kind(**{str(key): None if pd.isna(value) else value for key, value in row.items()})
        for row in changed
    ]
    records.write(kind, rows, path)


def without(row: int) -> Change:
    return lambda frame: frame.drop(frame.index[row % len(frame)])


def with_duplicate(row: int) -> Change:
    return lambda frame: pd.concat([frame, frame.iloc[[row % len(frame)]]])


def with_value(row: int, column: str, value: Any) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].tolist()
        values[row] = value
        return frame.assign(**{column: values})

    return change


@settings(max_examples=20)
@given(
    row=st.integers(0, 10**6),
    table=st.sampled_from(["1", "super"]),
    change=st.sampled_from([without, with_duplicate]),
)
def test_missing_and_duplicate_scores_are_reported(
    finished_run: Path,
    tmp_path_factory: pytest.TempPathFactory,
    row: int,
    table: str,
    change: Callable[[int], Change],
) -> None:
    copy = tmp_path_factory.mktemp("rows") / "run"
    shutil.copytree(finished_run, copy)
    rewrite(Score, copy / "scores" / "rte" / "2" / f"{table}.parquet", change(row))
    (problem,) = problems(copy, "scores")
    assert f"{'0' if change is without else '2'} scores, expected 1" in problem
    shutil.rmtree(copy)


@pytest.mark.parametrize("number", [0, 3, 8])
def test_a_changed_score_of_a_pruned_ticket_is_reported(copy: Path, number: int) -> None:
    path = copy / "scores" / "rte" / "1" / "1.parquet"
    frame = records.read(Score, [path]).to_pandas()
    row = frame.index[frame["state"] == "pruned"][number]
    rewrite(Score, path, with_value(row, "value", frame["value"][row] + 1e-9))
    for check in ("scores", "pruned scores"):
        (problem,) = problems(copy, check)
        assert f"{frame['method'][row]} {frame['kind'][row]}" in problem
    assert not problems(copy, "predictions")


def change_predictions(
    copy: Path, change: Callable[[list[Prediction]], Sequence[Prediction]]
) -> None:
    path = copy / "predictions" / "rte" / "1" / "1.parquet"
    rows = records.structs(Prediction, records.read(Prediction, [path]))
    records.write(Prediction, change(rows), path)


@pytest.mark.parametrize("changed", [[], [0, 0]], ids=["missing", "doubled"])
def test_missing_and_duplicate_predictions_are_reported(copy: Path, changed: list[int]) -> None:
    change_predictions(copy, lambda rows: [rows[at] for at in changed] + rows[1:])
    (problem,) = problems(copy, "predictions")
    assert f"{len(changed)} predictions, expected 1" in problem


def test_logits_that_do_not_give_the_scores_are_reported(copy: Path) -> None:
    change_predictions(copy, lambda rows: [replace(rows[0], logits=-rows[0].logits), *rows[1:]])
    (problem,) = problems(copy, "scores")
    assert "40 examples; predictions give" in problem
    assert not problems(copy, "predictions", "pruned scores")


def test_labels_that_are_not_those_of_the_data_are_reported(copy: Path) -> None:
    change_predictions(copy, lambda rows: [replace(rows[0], labels=rows[0].labels[:7]), *rows[1:]])
    assert any("the data have other labels" in text for text in problems(copy, "predictions"))


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("n", 7, "7 examples; predictions give"),
        ("seed", 2, "expected records of rte seed 1 only"),
        ("split", "test", "0 scores, expected 1"),
        ("metric", "f1", "0 scores, expected 1"),
    ],
)
def test_a_changed_identity_of_a_score_is_reported(
    copy: Path, column: str, value: object, message: str
) -> None:
    rewrite(Score, copy / "scores" / "rte" / "1" / "1.parquet", with_value(0, column, value))
    assert any(message in problem for problem in problems(copy, "scores"))


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("heads", 1, "heads, expected"),
        ("mlps", 0, "mlps, expected"),
        ("step", 9, "is numbered 9"),
        ("threshold", 0.1, "another full score or threshold"),
        ("full_score", 0.1, "another full score or threshold"),
    ],
)
def test_a_changed_step_is_reported(copy: Path, column: str, value: object, message: str) -> None:
    path = copy / "subnetworks" / "rte" / "1" / "trajectory.parquet"
    rewrite(StepRecord, path, with_value(1, column, value))
    assert any(message in problem for problem in problems(copy, "steps"))


def test_a_step_that_was_accepted_below_its_threshold_is_reported(copy: Path) -> None:
    def accept_everything(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(accepted=True, score=frame["score"].where(frame["step"] == 0, -2.0))

    rewrite(StepRecord, copy / "subnetworks/rte/2/trajectory.parquet", accept_everything)
    reported = problems(copy, "steps")
    assert any("is accepted below its threshold" in problem for problem in reported)
    assert problems(copy, "searches")


def test_a_search_that_accepts_nothing_ends_with_the_full_model(copy: Path) -> None:
    def without_scores(frame: pd.DataFrame) -> pd.DataFrame:
        undefined = dict.fromkeys(("score", "threshold", "full_score"), float("nan"))
        first_phase = frame[frame["phase"].isin(["full", "both", "weights"])]
        return first_phase.assign(accepted=False, **undefined)

    for seed in SEEDS:
        folder = copy / "subnetworks" / "rte" / str(seed)
        rewrite(StepRecord, folder / "trajectory.parquet", without_scores)
        for method, name in GOODS:
            resave(folder / method / f"{name}.safetensors", lambda kept: kept | ~kept)
    assert not problems(copy, "steps")


def test_the_model_of_another_seed_is_reported(copy: Path) -> None:
    shutil.copytree(copy / "models/rte/2", copy / "models/rte/1", dirs_exist_ok=True)
    reported = problems(copy, "draws", "searches", "pruned scores")
    assert any("rte seed 1" in problem for problem in reported)


def test_a_ticket_of_another_kind_is_reported(copy: Path) -> None:
    folder = copy / "subnetworks" / "rte" / "1" / "structured"
    shutil.copy(folder / "bad-0.safetensors", folder / "random-0.safetensors")
    assert any("holds the ticket" in problem for problem in problems(copy, "sizes"))


def test_a_missing_file_is_reported(copy: Path) -> None:
    (copy / "scores" / "rte" / "2" / "1.parquet").unlink()
    assert any("2/1.parquet" in problem for problem in problems(copy, "scores"))
