"""What a run left is looked at again: an honest run passes, and whatever is changed in it is named."""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lottery import records, subnetwork
from lottery.errors import UserError
from lottery.schemas import Score, StepRecord
from lottery.subnetwork import Subnetwork
from lottery.verification import counts, recompute
from lottery.verification.run import CellOutputs, Findings
from tests import toy_run
from tests.toy_run import SEEDS

CHECKS: dict[str, Callable[[CellOutputs], Findings]] = {
    "rows": counts.rows,
    "sizes": counts.sizes,
    "steps": counts.steps,
    "draws": recompute.draws,
    "searches": partial(recompute.searches, tolerance=0),
    "as cut": partial(recompute.pruned_scores, tolerance=0),
}
METHODS = ("structured", "magnitude")
CONTRASTS = [(method, name) for method in METHODS for name in ("good", "random-0", "bad")]


@pytest.fixture
def copy(honest: Path, tmp_path: Path) -> Path:
    shutil.copytree(honest, tmp_path / "run")
    return tmp_path / "run"


def wrong(root: Path, *names: str) -> list[str]:
    """What the named checks, or all of them, say of a run."""
    return [
        told
        for cell in toy_run.run(root).cells
        for name in names or CHECKS
        for told in looks(cell, name)
    ]


def looks(cell: CellOutputs, name: str) -> Iterator[str]:
    try:
        yield from (told for told in CHECKS[name](cell) if told is not None)
    except UserError as fault:
        yield str(fault)


def test_an_honest_run_passes_every_check(honest: Path) -> None:
    assert not wrong(honest)
    looked_at = [
        sum(1 for _ in CHECKS[name](cell)) for cell in toy_run.run(honest).cells for name in CHECKS
    ]
    assert all(looked_at)


def resave(path: Path, change: Callable[[Subnetwork], Subnetwork]) -> None:
    kept, identity = subnetwork.load(path)
    change(kept).save(path, **identity)


@settings(max_examples=30)
@given(data=st.data(), seed=st.sampled_from(SEEDS), which=st.sampled_from(CONTRASTS))
def test_a_flipped_bit_of_any_subnetwork_is_named(
    honest: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, seed: int, which: tuple[str, str]
) -> None:  # fmt: skip
    copy = tmp_path_factory.mktemp("flipped") / "run"
    shutil.copytree(honest, copy)
    path = copy / "subnetworks" / "rte" / str(seed) / which[0] / f"{which[1]}.safetensors"

    def flip(kept: Subnetwork) -> Subnetwork:
        bits = kept.flat.copy()
        bits[data.draw(st.integers(0, len(bits) - 1))] ^= True
        return Subnetwork.unflatten(kept.shapes, bits)

    resave(path, flip)
    told = wrong(copy, "sizes")
    assert told
    assert all(which[0] in each for each in told)
    shutil.rmtree(copy)


@pytest.mark.parametrize(("method", "name"), CONTRASTS[1:3] + CONTRASTS[4:])
def test_another_draw_of_the_same_size_is_named(copy: Path, method: str, name: str) -> None:
    def swap(kept: Subnetwork) -> Subnetwork:
        bits = kept["heads" if method == "structured" else next(iter(kept))].copy()
        on, off = np.argwhere(bits)[0], np.argwhere(~bits)[0]
        bits[tuple(on)], bits[tuple(off)] = False, True
        part = "heads" if method == "structured" else next(iter(kept))
        return Subnetwork({**kept, part: bits})

    resave(copy / "subnetworks" / "rte" / "1" / method / f"{name}.safetensors", swap)
    kind = name.partition("-")[0]
    assert any(
        f"{method} {kind} 0 is not what the seed draws" in each for each in wrong(copy, "draws")
    )


def test_a_smaller_weight_kept_than_pruned_is_named(copy: Path) -> None:
    def inverted(kept: Subnetwork) -> Subnetwork:
        return ~kept

    resave(copy / "subnetworks/rte/1/magnitude/good.safetensors", inverted)
    assert any("prunes a weight of" in each for each in wrong(copy, "draws"))


def rewrite(kind: Any, path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    changed = change(records.read(kind, [path]).to_pandas()).to_dict("records")
    rows = [
        kind(**{str(key): None if pd.isna(value) else value for key, value in row.items()})
        for row in changed
    ]
    records.write(kind, rows, path)


def without(at: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.drop(frame.index[at % len(frame)])


def doubled(at: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: pd.concat([frame, frame.iloc[[at % len(frame)]]])


def changed(at: int, column: str, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].tolist()
        values[at] = value
        return frame.assign(**{column: values})

    return change


@settings(max_examples=20)
@given(
    at=st.integers(0, 10**6),
    table=st.sampled_from(["1", "super"]),
    change=st.sampled_from([without, doubled]),
)
def test_a_row_that_is_missing_or_doubled_is_named(
    honest: Path, tmp_path_factory: pytest.TempPathFactory, at: int, table: str, change: Callable[[int], Any]
) -> None:  # fmt: skip
    copy = tmp_path_factory.mktemp("rows") / "run"
    shutil.copytree(honest, copy)
    rewrite(Score, copy / "scores" / "rte" / "2" / f"{table}.parquet", change(at))
    (told,) = wrong(copy, "rows")
    assert f"is there {2 if change is doubled else 0} times, not 1" in told
    shutil.rmtree(copy)


@pytest.mark.parametrize("at", [0, 3, 8])
def test_a_score_as_cut_that_was_changed_is_named(copy: Path, at: int) -> None:
    path = copy / "scores" / "rte" / "1" / "1.parquet"
    frame = records.read(Score, [path]).to_pandas()
    cut = [place for place, state in enumerate(frame["state"]) if state != "retrained"]
    place = cut[at % len(cut)]
    rewrite(Score, path, changed(place, "value", frame["value"][place] + 1e-9))
    (told,) = wrong(copy, "as cut")
    assert f"{frame['method'][place]} {frame['kind'][place]}" in told
    assert not wrong(copy, "rows")


@pytest.mark.parametrize(
    ("column", "value", "check", "says"),
    [
        ("n", 7, "rows", "count {"),
        ("seed", 2, "rows", "expected records of rte seed 1 only"),
        ("split", "test", "rows", "0 times, not 1"),
        ("metric", "f1", "rows", "0 times, not 1"),
    ],
)
def test_a_changed_identity_is_named(
    copy: Path, column: str, value: object, check: str, says: str
) -> None:
    rewrite(Score, copy / "scores" / "rte" / "1" / "1.parquet", changed(0, column, value))
    assert any(says in each for each in wrong(copy, check))


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("heads", 1, "heads, not"),
        ("mlps", 0, "mlps, not"),
        ("step", 9, "is numbered 9"),
        ("threshold", 0.1, "another threshold"),
        ("full_score", 0.1, "another threshold"),
    ],
)
def test_a_changed_step_is_named(copy: Path, column: str, value: object, says: str) -> None:
    rewrite(StepRecord, copy / "subnetworks/rte/1/trajectory.parquet", changed(1, column, value))
    assert any(says in each for each in wrong(copy, "steps"))


def test_a_step_that_was_accepted_below_its_threshold_is_named(copy: Path) -> None:
    def accepted(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(accepted=True, score=frame["score"].where(frame["step"] == 0, -2.0))

    rewrite(StepRecord, copy / "subnetworks/rte/2/trajectory.parquet", accepted)
    told = wrong(copy, "steps")
    assert any("is accepted below its threshold" in each for each in told)
    assert wrong(copy, "searches")


def test_the_model_of_another_seed_is_named(copy: Path) -> None:
    shutil.copytree(copy / "models/rte/2", copy / "models/rte/1", dirs_exist_ok=True)
    assert any("rte seed 1" in each for each in wrong(copy, "draws", "searches", "as cut"))


def test_a_subnetwork_of_another_cell_or_kind_is_named(copy: Path) -> None:
    folder = copy / "subnetworks" / "rte" / "1" / "structured"
    shutil.copy(folder / "bad.safetensors", folder / "random-0.safetensors")
    assert any("holds the ticket" in each for each in wrong(copy, "sizes"))


def test_a_file_that_is_missing_is_named(copy: Path) -> None:
    (copy / "scores" / "rte" / "2" / "1.parquet").unlink()
    assert any("2/1.parquet" in each for each in wrong(copy, "rows"))
