"""Examples and their batches: nothing lost, nothing doubled, nothing padded on disk."""

from itertools import pairwise
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from lottery.data.examples import (
    Batch,
    DataParameters,
    Examples,
    load,
    packed,
    save,
    shuffled,
    standardised,
)
from lottery.errors import UserError
from lottery.params import convert
from lottery.seeds import rng

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=60)


def examples(lengths: list[int], labels: list[float] | None = None) -> Examples:
    """Tokens that tell whose they are: example n has ids 1000 n, 1000 n + 1, ..."""
    ids = [1000 * row + at for row, length in enumerate(lengths) for at in range(length)]
    return Examples(
        task="sst2",
        split="train",
        ids_T=np.array(ids, np.int32),
        types_T=np.array([i % 2 for i in ids], np.int8),
        lengths_N=np.array(lengths, np.int32),
        labels_N=np.array(labels or np.arange(len(lengths)), np.float32),
    )


def check_covers(whole: Examples, batches: list[Batch]) -> None:
    rows = np.concatenate([batch.rows_B for batch in batches])
    assert sorted(rows.tolist()) == list(range(len(whole)))
    for batch in batches:
        assert batch.labels_B.tolist() == batch.rows_B.tolist()
        expected = [1000 * row + at for row in batch.rows_B for at in range(whole.lengths_N[row])]
        assert batch.ids_T.tolist() == expected
        assert batch.types_T.tolist() == [i % 2 for i in expected]
        assert batch.lengths_B.tolist() == whole.lengths_N[batch.rows_B].tolist()


@given(LENGTHS, st.integers(1, 300))
def test_packed_covers_each_example_once_within_the_budget(lengths: list[int], budget: int) -> None:
    whole = examples(lengths)
    batches = packed(whole, budget)
    check_covers(whole, batches)
    for batch in batches:
        size = len(batch.rows_B)
        assert size == 1 or size * int(batch.lengths_B.max()) <= budget
    for batch, following in pairwise(batches):
        larger = (len(batch.rows_B) + 1) * int(following.lengths_B.min())
        assert larger > budget, "a batch was closed early"


@given(LENGTHS, st.integers(1, 70))
def test_shuffled_covers_each_example_once(lengths: list[int], size: int) -> None:
    whole = examples(lengths)
    batches = shuffled(whole, size, rng(1, "shuffle"))
    check_covers(whole, batches)
    assert all(len(batch.rows_B) == size for batch in batches[:-1])


def test_shuffling_is_the_streams_own() -> None:
    whole = examples([1] * 50)
    first, again, other = (shuffled(whole, 50, rng(seed, "shuffle"))[0] for seed in (1, 1, 2))
    assert first.rows_B.tolist() == again.rows_B.tolist() != other.rows_B.tolist()


def test_no_examples_make_no_batches() -> None:
    nothing = examples([3, 2]).take(np.array([], np.int64))
    assert len(nothing) == 0
    assert packed(nothing, 10) == shuffled(nothing, 4, rng(1)) == []


@given(LENGTHS)
def test_what_is_saved_is_loaded(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int]
) -> None:
    path, whole = tmp_path_factory.mktemp("examples") / "train.safetensors", examples(lengths)
    save(whole, path)
    found = load(path)
    assert (found.task, found.split) == ("sst2", "train")
    for name in ("ids_T", "types_T", "lengths_N", "labels_N"):
        mine, theirs = getattr(whole, name), getattr(found, name)
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)


def test_what_is_no_examples_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no encoded examples"):
        load(tmp_path / "absent.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"not at all")
    with pytest.raises(UserError, match="no encoded examples"):
        load(tmp_path / "broken.safetensors")


def test_labels_are_standardised_by_train_alone() -> None:
    train, dev = examples([1, 1, 1], [0.0, 2.0, 4.0]), examples([1], [4.0])
    parts, mean, std = standardised({"train": train, "dev": dev})
    assert (mean, std) == pytest.approx((2, (8 / 3) ** 0.5))
    assert parts["train"].labels_N.mean() == pytest.approx(0, abs=1e-6)
    assert parts["train"].labels_N.std() == pytest.approx(1)
    assert parts["dev"].labels_N[0] * std + mean == pytest.approx(4)


def test_equal_labels_cannot_be_standardised() -> None:
    with pytest.raises(UserError, match=r"all training labels are 2\.0"):
        standardised({"train": examples([1, 1], [2.0, 2.0])})


@pytest.mark.parametrize(
    ("key", "value"), [("train", 0), ("select", -1), ("max_length", 4), ("source", "")]
)
def test_data_out_of_range_is_a_fault(key: str, value: object) -> None:
    good = {
        "source": "hub", "train": None, "select": 10, "dev": None,
        "max_length": 128, "standardise": True,
    }  # fmt: skip
    assert convert(DataParameters, good).select == 10
    with pytest.raises(UserError, match=rf"data\.{key}"):
        convert(DataParameters, good | {key: value})
