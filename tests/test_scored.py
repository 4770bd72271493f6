"""Checks of the predictions and scores of a finished run: whatever is changed in them is reported."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lottery import records
from lottery.schemas import Prediction, Score
from tests.tampering import Change, problems, rewrite, with_duplicate, with_value, without


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
    change_predictions(copy, lambda rows: [replace(row, logits=-row.logits) for row in rows])
    reported = problems(copy, "scores")
    assert reported
    assert all("examples; predictions give" in problem for problem in reported)
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


def test_a_missing_file_is_reported(copy: Path) -> None:
    (copy / "scores" / "rte" / "2" / "1.parquet").unlink()
    assert any("2/1.parquet" in problem for problem in problems(copy, "scores"))
