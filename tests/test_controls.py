"""Controls have the size of the good ticket, and overlap with it no more than is unavoidable."""

from collections import Counter
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import chisquare

from lottery.seeds import rng
from lottery.subnetwork import Subnetwork
from lottery.ticket import Key
from lottery.tickets import controls
from lottery.tickets.methods import STRUCTURED
from lottery.tickets.super_survivors import super_subnetworks
from tests import toys

kept_arrays = st.integers(1, 60).flatmap(lambda n: arrays(bool, n))
seeds_of_kept = st.tuples(st.integers(1, 5), st.integers(1, 40)).flatmap(lambda s: arrays(bool, s))
seeds = st.integers(0, 2**32 - 1)


@given(kept_arrays, seeds)
def test_exact_random_masks_have_the_size_of_the_good_one(kept: np.ndarray, seed: int) -> None:
    assert controls.exact(kept, rng(seed)).sum() == kept.sum()


@given(kept_arrays, seeds)
def test_bad_masks_share_only_what_is_unavoidable(kept: np.ndarray, seed: int) -> None:
    bad, size = controls.unsurvived(kept, rng(seed)), int(kept.sum())
    assert bad.sum() == size
    assert (bad & kept).sum() == max(0, 2 * size - kept.size)


def test_all_masks_of_a_size_are_equally_likely() -> None:
    stream = rng(0)
    drawn = [tuple(np.flatnonzero(controls.sample(6, 3, stream))) for _ in range(20_000)]
    counts = Counter(drawn)
    assert len(counts) == 20
    assert chisquare([*counts.values()]).pvalue > 0.001


@given(seeds_of_kept, seeds)
def test_super_controls_have_the_size_of_the_super_survivors(
    kept_SN: np.ndarray, seed: int
) -> None:
    per_seed = list(kept_SN)
    every, none = kept_SN.all(axis=0), ~kept_SN.any(axis=0)
    some = ~every & ~none
    survivors, bad = controls.super_survivors(per_seed), controls.super_bad(per_seed, rng(seed))
    random = controls.super_random(per_seed, rng(seed))
    assert (survivors == every).all()
    assert survivors.sum() == bad.sum() == random.sum()
    assert (bad & every).sum() == max(0, 2 * every.sum() - every.size)
    assert (bad & none).sum() == min(none.sum(), every.sum())
    assert (random & some).sum() == min(some.sum(), every.sum())


def test_all_components_are_equally_likely() -> None:
    kept = np.arange(10) < 3
    counts = sum(controls.exact(kept, rng(draw)).astype(int) for draw in range(2000))
    assert np.abs(counts / 2000 - 0.3).max() < 0.05
    densities = [controls.bernoulli(kept, rng(draw)).mean() for draw in range(500)]
    assert abs(np.mean(densities) - 0.3) < 0.03


def test_parts_keep_their_sizes_unless_they_are_pooled() -> None:
    good = Subnetwork({"heads": np.eye(4, dtype=bool), "mlps": np.array([True, False, False])})
    by_part = controls.by_part(good, partial(controls.exact, rng=rng(0)))
    assert (by_part["heads"].sum(), by_part["mlps"].sum()) == (4, 1)
    pooled = [controls.pooled(good, partial(controls.exact, rng=rng(draw))) for draw in range(9)]
    assert {subnetwork.size for subnetwork in pooled} == {5}
    assert len({int(subnetwork["mlps"].sum()) for subnetwork in pooled}) > 1


def test_draws_depend_on_the_random_stream_alone() -> None:
    kept = np.arange(50) < 20
    assert (controls.exact(kept, rng(1, "a")) == controls.exact(kept, rng(1, "a"))).all()
    assert (controls.exact(kept, rng(1, "a")) != controls.exact(kept, rng(1, "b"))).any()


def test_too_few_components_raise_an_error() -> None:
    with pytest.raises(ValueError, match="1 components too few"):
        controls.fill(3, [np.array([True, True, False])], rng(0))


def test_super_survivors_are_kept_by_every_seed_and_controls_have_their_size() -> None:
    good = [
        toys.good_ticket("rte", seed, rng(seed).random((3, 8)) < 0.8, rng(seed).random(3) < 0.8)
        for seed in range(3)
    ]
    keys = STRUCTURED.super_keys(toys.controls(matched_draws=3))
    supers = super_subnetworks(good, keys)
    assert [*supers] == keys
    survivors = supers[Key(STRUCTURED.name, "super")]
    first, second, third = (ticket.subnetwork for ticket in good)
    assert survivors == first & second & third
    for control in supers.values():
        for part, kept in survivors.items():
            assert control[part].sum() == kept.sum()
    assert len({*supers.values()}) > 2
    assert super_subnetworks(good, keys[::-1]) == supers
