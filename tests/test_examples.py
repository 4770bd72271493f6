"""Encoded examples, their batches and their files."""

from itertools import pairwise
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from safetensors.numpy import load_file, save_file

from lottery.data.examples import (
    Batch,
    DataParameters,
    Examples,
    load,
    packed,
    save,
    shuffled,
)
from lottery.errors import UserError
from lottery.params import convert
from lottery.seeds import rng

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=60)


def examples(lengths: list[int], labels: list[float] | None = None) -> Examples:
    """Examples with recognisable tokens: example n has the ids 1000 n, 1000 n + 1, ..."""
    ids = [1000 * row + at for row, length in enumerate(lengths) for at in range(length)]
    return Examples(
        task="sst2",
        split="train",
        ids_T=np.array(ids, np.int32),
        types_T=np.array([i % 2 for i in ids], np.int8),
        lengths_N=np.array(lengths, np.int32),
        labels_N=np.array(labels or np.arange(len(lengths)), np.float32),
    )


def assert_covers(whole: Examples, batches: list[Batch]) -> None:
    rows = np.concatenate([batch.rows_B for batch in batches])
    assert sorted(rows.tolist()) == list(range(len(whole)))
    for batch in batches:
        assert batch.labels_B.tolist() == batch.rows_B.tolist()
        expected = [1000 * row + at for row in batch.rows_B for at in range(whole.lengths_N[row])]
        assert batch.ids_T.tolist() == expected
        assert batch.types_T.tolist() == [i % 2 for i in expected]
        assert batch.lengths_B.tolist() == whole.lengths_N[batch.rows_B].tolist()


@given(LENGTHS, st.integers(1, 300))
def test_packed_batches_cover_each_example_once_within_the_budget(
    lengths: list[int], budget: int
) -> None:
    whole = examples(lengths)
    batches = packed(whole, budget)
    assert_covers(whole, batches)
    for batch in batches:
        size = len(batch.rows_B)
        assert size == 1 or size * int(batch.lengths_B.max()) <= budget
    for batch, following in pairwise(batches):
        larger = (len(batch.rows_B) + 1) * int(following.lengths_B.min())
        assert larger > budget, "the next example would have fitted into the batch"


@given(LENGTHS, st.integers(1, 70))
def test_shuffled_batches_cover_each_example_once(lengths: list[int], size: int) -> None:
    whole = examples(lengths)
    batches = shuffled(whole, size, rng(1, "shuffle"))
    assert_covers(whole, batches)
    assert all(len(batch.rows_B) == size for batch in batches[:-1])


def test_shuffling_depends_on_the_random_stream_alone() -> None:
    whole = examples([1] * 50)
    first, again, other = (shuffled(whole, 50, rng(seed, "shuffle"))[0] for seed in (1, 1, 2))
    assert first.rows_B.tolist() == again.rows_B.tolist() != other.rows_B.tolist()


def test_no_examples_give_no_batches() -> None:
    empty = examples([3, 2]).take(np.array([], np.int64))
    assert len(empty) == 0
    assert packed(empty, 10) == shuffled(empty, 4, rng(1)) == []


@given(LENGTHS)
def test_loaded_examples_equal_the_saved_ones(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int]
) -> None:
    path, whole = tmp_path_factory.mktemp("examples") / "train.safetensors", examples(lengths)
    save(whole, path)
    loaded = load(path)
    assert (loaded.task, loaded.split) == ("sst2", "train")
    for name in ("ids_T", "types_T", "lengths_N", "labels_N"):
        expected, actual = getattr(whole, name), getattr(loaded, name)
        assert actual.dtype == expected.dtype
        np.testing.assert_array_equal(actual, expected)


def test_missing_and_malformed_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no encoded examples"):
        load(tmp_path / "absent.safetensors")
    (tmp_path / "malformed.safetensors").write_bytes(b"not at all")
    with pytest.raises(UserError, match="no encoded examples"):
        load(tmp_path / "malformed.safetensors")


@pytest.mark.parametrize("identity", ["[]", "{}", "7", "{", '["task", "split"]'])
def test_another_identity_is_refused(tmp_path: Path, identity: str) -> None:
    path = tmp_path / "train.safetensors"
    save(examples([3, 2]), path)
    save_file(load_file(path), path, {"identity": identity})
    with pytest.raises(UserError, match="no encoded examples"):
        load(path)


@pytest.mark.parametrize(
    ("key", "value"), [("train", 0), ("select", -1), ("max_length", 4), ("source", "")]
)
def test_parameters_out_of_range_are_refused(key: str, value: object) -> None:
    valid = {
        "source": "hub", "train": None, "select": 10, "dev": None,
        "max_length": 128, "standardise": True,
    }  # fmt: skip
    assert convert(DataParameters, valid).select == 10
    with pytest.raises(UserError, match=rf"data\.{key}"):
        convert(DataParameters, valid | {key: value})
