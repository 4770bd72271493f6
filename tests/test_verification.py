"""Checks of a finished run: an unchanged run passes, and whatever is changed in it is reported."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from lottery import subnetwork
from lottery.schemas import StepRecord
from lottery.subnetwork import Subnetwork
from lottery.tickets.methods import METHODS
from tests import toy_run
from tests.tampering import CHECKS, problems, rewrite, with_value
from tests.toy_run import SEEDS

GOODS = [(method, "good") for method in METHODS]
MATCHED = [(method, "good-0.5") for method in METHODS] + [("magnitude", "pretrained-0.5")]
CONTROLS = [
    *((method, name) for method in METHODS for name in ("random-0", "bad-0")),
    ("magnitude", "pretrained-0.5"),
]


def test_an_unchanged_run_passes_all_checks(finished_run: Path) -> None:
    assert not problems(finished_run)
    for cell in toy_run.run(finished_run).cells:
        for name, check in CHECKS.items():
            assert list(check(cell)), f"{name} compares nothing"


def test_a_kept_ticket_that_is_changed_missing_or_unexpected_is_reported(copy: Path) -> None:
    structured, magnitude = (copy / "tickets/rte/1/1" / method for method in METHODS)
    file = structured / "model.safetensors"
    tensors = load_file(file)
    save_file(tensors | {"classifier.bias": np.array([99, -99], np.float32)}, file)
    shutil.copytree(magnitude, copy / "tickets/rte/2/1/magnitude")
    shutil.rmtree(magnitude)
    changed, missing, unexpected = (
        [problem for problem in problems(copy, "kept scores") if words in problem]
        for words in ("recorded is", "rte seed 1: the trained", "rte seed 2: the trained")
    )
    assert all("structured" in problem for problem in changed)
    assert changed
    assert "are missing" in missing[0]
    assert "are there, though" in unexpected[0]


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
    ticket = f"{method} {name.replace('-0.5', ' at sparsity 0.5').replace('-', ' ')}"
    message = f"{ticket} is not what seed and weights give"
    assert any(message in problem for problem in problems(copy, "draws"))


@pytest.mark.parametrize("name", ["good", "good-0.5"])
def test_a_ticket_that_prunes_larger_weights_than_it_keeps_is_reported(
    copy: Path, name: str
) -> None:
    resave(copy / f"subnetworks/rte/1/magnitude/{name}.safetensors", swap_two_components)
    assert any("prunes a weight of" in problem for problem in problems(copy, "draws"))


def test_a_matched_ticket_that_is_no_step_of_its_search_is_reported(copy: Path) -> None:
    resave(copy / "subnetworks/rte/1/structured/good-0.5.safetensors", lambda kept: ~kept)
    label = "structured search, structured good at sparsity 0.5: sparsity is"
    assert any(label in problem for problem in problems(copy, "searches"))


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
