"""Division of corpora into train, select and dev."""

from collections import Counter

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from lottery.data.examples import DataParameters
from lottery.data.rows import Row
from lottery.data.splits import require_learnable, split_corpus, stratified_order
from lottery.errors import UserError
from lottery.tasks import get_task

SST2 = get_task("sst2")
HUNDRED = [Row(str(number), None, float(number % 2)) for number in range(100)]
ROWS = st.lists(
    st.builds(Row, st.text(max_size=3), st.none(), st.sampled_from([0.0, 1.0])), min_size=20
)
SIZE, SEED = st.integers(1, 30), st.integers(0, 99)


def sizes(
    train: int | None = None, select: int | None = None, dev: int | None = None
) -> DataParameters:
    return DataParameters(
        source="packages", train=train, select=select, dev=dev, max_length=128, standardise=True
    )


@given(ROWS, SIZE, SIZE, SIZE, SEED)
def test_larger_samples_contain_smaller_ones(
    rows: list[Row], one: int, other: int, select: int, seed: int
) -> None:
    numbered = [row._replace(first=str(number)) for number, row in enumerate(rows)]
    corpus = {"train": numbered, "dev": numbered}
    small, large = sorted((one, other))
    smaller = split_corpus(SST2, corpus, sizes(train=small, select=select, dev=small), seed)
    larger = split_corpus(SST2, corpus, sizes(train=large, select=select + 1, dev=large), seed)
    for split in ("train", "select", "dev"):
        assert set(smaller[split]) <= set(larger[split])
    assert not set(larger["train"]) & set(larger["select"])
    assert len(smaller["dev"]) == min(small, len(rows))


def test_all_rows_are_used_if_no_size_is_given() -> None:
    splits = split_corpus(SST2, {"train": HUNDRED, "dev": HUNDRED[:9]}, sizes(), seed=1)
    assert {split: len(rows) for split, rows in splits.items()} == {
        "train": 90, "select": 10, "dev": 9,
    }  # fmt: skip
    assert sorted([*splits["train"], *splits["select"]]) == sorted(HUNDRED)
    assert splits["train"] == sorted(splits["train"], key=lambda row: int(row.first))


def test_select_0_holds_nothing_out() -> None:
    splits = split_corpus(SST2, {"train": HUNDRED, "dev": HUNDRED}, sizes(select=0), seed=1)
    assert (splits["train"], splits["select"]) == (HUNDRED, [])


@given(SEED, SEED)
def test_seeds_draw_their_own_train_and_select_and_share_every_dev_split(
    one: int, other: int
) -> None:
    corpus = {"train": HUNDRED, "dev": HUNDRED, "dev-other": HUNDRED}
    first, second = (
        split_corpus(SST2, corpus, sizes(train=20, select=5, dev=20), seed) for seed in (one, other)
    )
    assert first["dev"] == second["dev"]
    assert first["dev-other"] == second["dev-other"]
    assert first["dev"] != first["dev-other"]
    for split in ("train", "select"):
        assert (first[split] == second[split]) == (one == other)


@given(st.lists(st.sampled_from("abcdefghijkl"), min_size=30, max_size=60), SEED)
def test_no_group_is_in_train_and_select(names: list[str], seed: int) -> None:
    rows = [Row(str(at), None, float(at % 2), name) for at, name in enumerate(names)]
    if len(set(names)) > 1:
        splits = split_corpus(SST2, {"train": rows, "dev": HUNDRED}, sizes(), seed)
        groups = {split: {row.group for row in splits[split]} for split in ("train", "select")}
        assert not groups["train"] & groups["select"]
        assert groups["train"] | groups["select"] == set(names)


@pytest.mark.parametrize(
    ("train", "dev", "select", "split"),
    [(1, 1, None, "train"), (0, 10, 0, "train"), (10, 0, 0, "dev")],
)
def test_a_corpus_too_small_to_split_is_refused(
    train: int, dev: int, select: int | None, split: str
) -> None:
    corpus = {"train": HUNDRED[:train], "dev": HUNDRED[:dev]}
    with pytest.raises(UserError, match=f"nothing is left for {split}"):
        split_corpus(SST2, corpus, sizes(select=select), seed=1)


NEW = [row._replace(first=f"new {row.first}") for row in HUNDRED[:4]]


@pytest.mark.parametrize(
    ("train", "dev", "message"),
    [
        (HUNDRED[:1], HUNDRED[10:], "all training labels are the same"),
        (HUNDRED[:10:2], HUNDRED[10:], "all training labels are the same"),
        (HUNDRED, HUNDRED, "100 of 100 rows of dev are also in train"),
        (HUNDRED, HUNDRED[:8] + NEW, "8 of 12 rows of dev"),
    ],
)
def test_constant_labels_and_leakage_are_refused(
    train: list[Row], dev: list[Row], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        require_learnable(SST2, {"train": train, "select": [], "dev": dev})


def test_repeated_rows_and_a_few_shared_ones_are_accepted() -> None:
    require_learnable(SST2, {"train": HUNDRED[:10] * 2, "select": [], "dev": HUNDRED[9:]})


@given(st.lists(st.integers(0, 2), min_size=1, max_size=80), st.integers(1, 80))
def test_every_prefix_of_the_order_is_stratified(labels: list[int], size: int) -> None:
    order = stratified_order(np.array(labels, np.float64), "test")
    assert sorted(order.tolist()) == list(range(len(labels)))
    share = min(size, len(labels)) / len(labels)
    taken = Counter(labels[at] for at in order[:size].tolist())
    for label, count in Counter(labels).items():
        assert abs(taken[label] - share * count) <= len(set(labels)) / 2 + 0.5
